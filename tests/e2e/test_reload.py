"""A reload while people talk and choose: they notice nothing, a new operator serves at once, a bad file changes nothing."""

import asyncio
import signal
from collections.abc import Awaitable, Callable

from tests.e2e.centre import CALLER_HZ, LINE, OPERATOR_HZ, TELLS_WITHIN_S, Centre, offers
from tests.e2e.hearing import Hearing
from tests.e2e.installation import Installation

FIRST_OPERATOR = """[[operators]]
extension = "1001"
name = "Анна Соколова"
skills = { orders = 8, service = 5, english = 7 }
queues = ["orders", "service"]
"""
NEW_OPERATOR = """[[operators]]
extension = "1011"
name = "Светлана Ким"
skills = { orders = 4, service = 4 }
queues = ["orders", "service"]
"""


def change(centre: Centre, file: str, old: str, new: str) -> int:
    """Replace the first `old` in a file of the configuration; returns its line."""
    path = centre.config_dir / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text.count("\n", 0, text.index(old)) + 1


async def ccserver(centre: Centre, *arguments: str) -> tuple[int, list[str], list[str]]:
    """A command of an admin: how it ended, what it printed, what it complained of."""
    ended = await asyncio.to_thread(Installation(centre.config_dir.parent).ccserver, *arguments)
    return ended.code, ended.out.splitlines(), ended.err.splitlines()


async def alarm(centre: Centre, said: str) -> None:
    """Wait until the status tells of the configuration on disk (nothing: until it does not)."""

    def look(status: dict[str, list[dict[str, str]]]) -> bool:
        told = [alarm["message"] for alarm in status["alarms"] if alarm["name"] == "configuration"]
        return any(said in message for message in told) if said else not told

    await centre.until(look)


async def comes_true(centre: Centre, true: Callable[[], Awaitable[bool]]) -> None:
    """Ask at each change that the daemon tells of."""
    async with asyncio.timeout(TELLS_WITHIN_S), centre.http.ws_connect(centre.url + "/api/live") as socket:
        async for _ in socket:
            if await true():
                return


async def test_who_talks_and_who_chooses_notice_nothing_and_a_new_operator_serves_at_once(centre: Centre) -> None:
    first = await centre.operator("1001")
    talking = await centre.waiting("1")
    talk = await first.wait_call()
    await talk.hears(CALLER_HZ)
    choosing = await centre.dial(LINE)
    await Hearing(centre, choosing).hears("nordlis-menu")

    change(centre, "ccserver.toml", FIRST_OPERATOR, "")
    main = centre.config_dir / "ccserver.toml"
    main.write_text(f"{main.read_text(encoding='utf-8')}\n{NEW_OPERATOR}", encoding="utf-8")
    change(centre, "nordlis.toml", '1 = "orders", 2 = "service"', '1 = "service", 2 = "orders"')
    await alarm(centre, "the files say something else than what runs (4 changes)")
    changes = [
        "operators.1011: new (Светлана Ким)",
        "operators.1001: removed (Анна Соколова)",
        "flows.nordlis.steps.menu.keys.1: orders -> service",
        "flows.nordlis.steps.menu.keys.2: service -> orders",
    ]
    code, said, complaints = await ccserver(centre, "check", "--diff")
    assert (code, sorted(said), complaints) == (0, sorted(changes), [])
    code, said, complaints = await ccserver(centre, "reload")
    assert (code, sorted(said[:-1]), complaints) == (0, sorted(changes), [])
    assert said[-1].endswith("ccserver.toml is in force")
    await alarm(centre, "")

    await choosing.send_dtmf("1")  # in the menu of before, where it means orders
    await centre.contact("waiting", queue="orders")
    assert (await centre.get("/api/status"))["contacts"][0]["state"] == "talking"
    second = await centre.operator("1011")
    served = await second.wait_call()
    await choosing.hears(OPERATOR_HZ["1011"])
    await talking.hears(OPERATOR_HZ["1001"], min_share=0.2)
    await talk.hears(CALLER_HZ)
    another = await centre.waiting("1")
    await centre.contact("waiting", queue="service")

    assert "1001" in await phones(centre)
    await talking.hangup()

    async def gone() -> bool:
        return "1001" not in await phones(centre)

    await comes_true(centre, gone)
    for call in (choosing, another):
        await call.hangup()
    await served.wait_gone()
    contacts = await centre.finished(3)
    assert [contact["queue"] for contact in contacts] == ["orders", "orders", "service"]
    assert [offers(contact) for contact in contacts[:2]] == [[("1001", "accepted")], [("1011", "accepted")]]
    code, said, _ = await ccserver(centre, "replay")
    assert code == 0, said


async def phones(centre: Centre) -> set[str]:
    return {endpoint["resource"] for endpoint in await centre.ari("endpoints")}


async def test_a_bad_file_changes_nothing_and_everybody_says_why(centre: Centre) -> None:
    line = change(centre, "nordlis.toml", '1 = "orders"', '1 = "order"')
    await alarm(centre, "the files on disk cannot be taken up, what runs goes on:")
    code, said, complaints = await ccserver(centre, "reload")
    assert (code, said) == (78, [])
    assert len(complaints) == 2
    assert f'nordlis.toml:{line}: steps.menu.keys.1: there is no step "order"; did you mean "orders"?' in complaints[0]
    assert complaints[1] == "nothing has changed"
    async with centre.http.post(centre.url + "/api/reload") as answer:
        body = await answer.json()
    assert answer.status == 409
    (problem,) = body["problems"]
    assert (problem["line"], problem["field"]) == (line, "steps.menu.keys.1")
    assert problem["file"].endswith("nordlis.toml") and "did you mean" in problem["message"]
    caller = await centre.waiting("1")
    await centre.contact("waiting", queue="orders")
    change(centre, "nordlis.toml", '1 = "order"', '1 = "orders"')
    await alarm(centre, "")

    # A setting that needs a restart takes the harmless change beside it with it.
    at = change(centre, "ccserver.toml", "rtp_end = 19999", "rtp_end = 19997")
    change(centre, "ccserver.toml", 'title = "Заказы"', 'title = "Заказ"')
    code, _, complaints = await ccserver(centre, "reload")
    assert code == 78
    assert f"ccserver.toml:{at}: asterisk.rtp_end: 19999 -> 19997 cannot change in a running daemon:" in complaints[0]
    assert (await centre.get("/api/status"))["queues"][0]["title"] == "Заказы"
    change(centre, "ccserver.toml", "rtp_end = 19997", "rtp_end = 19999")

    # Nobody may be left waiting where nobody can come any more.
    text = (centre.config_dir / "ccserver.toml").read_text(encoding="utf-8")
    alone = text.replace('queues = ["orders", "service"]', 'queues = ["service"]').replace('queue = "orders"', "")
    for flow in ("nordlis", "velmira", "brisk"):
        path = centre.config_dir / f"{flow}.toml"
        path.write_text(
            path.read_text(encoding="utf-8").replace('queue = "orders"', 'queue = "service"'), encoding="utf-8"
        )
    begin, end = alone.index('[[queues]]\nname = "orders"'), alone.index('[[queues]]\nname = "service"')
    (centre.config_dir / "ccserver.toml").write_text(alone[:begin] + alone[end:], encoding="utf-8")
    code, _, complaints = await ccserver(centre, "reload")
    assert code == 78, complaints
    assert "queues.orders: nobody could serve it any more, and 1 contact is in it or may come to it" in complaints[0]
    await caller.hangup()
    await centre.finished()

    # Empty now; and by a signal.
    assert centre.daemon is not None
    centre.daemon.send_signal(signal.SIGHUP)
    await comes_true(centre, lambda: title(centre, "Сервисный центр"))


async def title(centre: Centre, *titles: str) -> bool:
    """The queues are these."""
    return [queue["title"] for queue in (await centre.get("/api/status"))["queues"]] == list(titles)
