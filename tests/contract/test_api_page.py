"""The way to the page: login, cookie, headers, and what a foreign page cannot do with the browser's cookie."""

import re

import pytest
from aiohttp import ClientSession, CookieJar, WSServerHandshakeError
from yarl import URL

from ccserver.api.auth import Auth
from tests.api_stage import TOKEN, Stage, open_api

COOKIE = Auth(TOKEN).cookie


def browser() -> ClientSession:
    return ClientSession(cookie_jar=CookieJar(unsafe=True))


async def test_a_stranger_is_led_to_the_form() -> None:
    async with open_api(Stage()) as address, browser() as visitor:
        async with visitor.get(f"{address}/", allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, "/login")
        async with visitor.get(f"{address}/") as answer:
            assert 'name="token"' in await answer.text()


async def test_the_form_gives_a_cookie_that_scripts_cannot_read_and_other_sites_cannot_send() -> None:
    async with open_api(Stage()) as address, browser() as visitor:
        async with visitor.post(f"{address}/login", data={"token": f" {TOKEN}\n"}, allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, "/")
            cookie = answer.cookies[COOKIE]
            assert cookie["httponly"] is True
            assert cookie["samesite"] == "Strict"
            assert TOKEN not in cookie.value
        async with visitor.get(f"{address}/api/status") as answer:
            assert answer.status == 200


async def test_behind_https_the_cookie_is_for_https_alone() -> None:
    async with open_api(Stage()) as address, browser() as visitor:
        proxy = {"X-Forwarded-Proto": "https"}
        async with visitor.get(f"{address}/?token={TOKEN}", headers=proxy, allow_redirects=False) as answer:
            assert answer.cookies[COOKIE]["secure"] is True


@pytest.mark.parametrize("offered", ["", "wrong", TOKEN + "x"])
async def test_a_wrong_token_gives_the_form_again_with_the_reason(offered: str) -> None:
    async with open_api(Stage()) as address, browser() as visitor:
        async with visitor.post(f"{address}/login", data={"token": offered}) as answer:
            assert answer.status == 401
            assert '<p class="problem" id="problem" role="alert">' in await answer.text()
            assert not answer.cookies
        async with visitor.get(f"{address}/?token={offered}") as answer:
            assert answer.status == 401
        async with visitor.get(f"{address}/api/status") as answer:
            assert answer.status == 401


async def test_a_link_with_the_token_lets_in_and_loses_the_token_at_once() -> None:
    async with open_api(Stage()) as address, browser() as visitor, visitor.get(f"{address}/?token={TOKEN}") as answer:
        assert answer.status == 200
        assert "token" not in str(answer.url)
        assert answer.headers["Referrer-Policy"] == "same-origin"


async def test_after_logout_the_page_is_closed() -> None:
    async with open_api(Stage()) as address, browser() as visitor:
        async with visitor.get(f"{address}/?token={TOKEN}"):
            pass
        async with visitor.post(f"{address}/logout", headers={"Origin": address}, allow_redirects=False) as answer:
            assert answer.status == 303
        async with visitor.get(f"{address}/api/status") as answer:
            assert answer.status == 401


@pytest.mark.parametrize(
    "origin", [{}, {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": "http://127.0.0.1:1"}]
)
async def test_a_foreign_page_can_change_nothing_and_open_no_socket_with_the_cookie(origin: dict[str, str]) -> None:
    stage = Stage()
    async with open_api(stage) as address, browser() as visitor:
        async with visitor.get(f"{address}/?token={TOKEN}"):
            pass
        url = f"{address}/api/agents/1001/state"
        async with visitor.post(url, json={"state": "ready"}, headers=origin) as answer:
            assert answer.status == 403
        with pytest.raises(WSServerHandshakeError) as refused:
            await visitor.ws_connect(f"{address}/api/live", headers=origin)
        assert refused.value.status == 403
        assert stage.asked == []
        async with visitor.post(url, json={"state": "ready"}, headers={"Origin": address}) as answer:
            assert answer.status == 200


async def test_the_page_loads_nothing_from_elsewhere_and_has_no_inline_code() -> None:
    async with open_api(Stage()) as address, browser() as visitor:
        for path in (f"/?token={TOKEN}", "/login"):
            async with visitor.get(address + path) as answer:
                text = await answer.text()
                policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert "//" not in text.replace("<!doctype", "")
            assert "<script>" not in text
            assert " style=" not in text
            assert not re.search(r"\son\w+=", text)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("live.js", "text/javascript"),
        ("base.css", "text/css"),
        ("icon.svg", "image/svg+xml"),
        ("login.html", "text/html"),
    ],
)
async def test_assets_have_their_true_type_and_are_asked_about_again(path: str, kind: str) -> None:
    async with open_api(Stage()) as address, browser() as visitor:
        async with visitor.get(f"{address}/web/{path}") as answer:
            assert answer.status == 200
            assert answer.content_type == kind
            assert answer.headers["Cache-Control"] == "no-cache"
            seen = {"If-None-Match": answer.headers["ETag"]}
        async with visitor.get(f"{address}/web/{path}", headers=seen) as answer:
            assert answer.status == 304


@pytest.mark.parametrize(
    "name",
    ["..", "..%2fserver.py", "%2e%2e%2fserver.py", "..%2f..%2f..%2fpyproject.toml", "nothing.js", "%00.js", "live"],
)
async def test_nothing_but_the_page_is_served(name: str) -> None:
    async with (
        open_api(Stage()) as address,
        browser() as visitor,
        visitor.get(URL(f"{address}/web/{name}", encoded=True)) as answer,
    ):
        assert answer.status == 404
