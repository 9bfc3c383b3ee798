"""`POST /api/reload` at the real server: what was changed, or every reason why nothing was."""

import asyncio

import msgspec
import pytest

from ccserver.api import reload
from ccserver.api.messages import ChangeReply, ConfigProblemReply, ErrorReply, ReloadRefusedReply, ReloadReply
from ccserver.api.sources import Reloaded
from ccserver.config.diff import Change
from ccserver.config.errors import ConfigErrors, Problem, Severity
from tests.api_stage import Stage, admitted, strangers


async def test_it_answers_with_every_change_and_every_warning() -> None:
    stage = Stage()
    warning = Problem(file="a.toml", line=3, message="no line uses the flow a", severity=Severity.WARNING)
    changes = (Change("queues.orders.ring_timeout_s", "20 -> 25"),)
    stage.configured.answer = Reloaded(configuration="dialplans/ccserver.toml", changes=changes, warnings=(warning,))
    async with admitted(stage) as client, client.post("/api/reload") as answer:
        assert answer.status == 200
        told = msgspec.json.decode(await answer.read(), type=ReloadReply)
    assert told == ReloadReply(
        "dialplans/ccserver.toml",
        (ChangeReply("queues.orders.ring_timeout_s", "20 -> 25"),),
        (ConfigProblemReply("a.toml", 3, "", "no line uses the flow a"),),
    )


async def test_a_refusal_lists_all_problems() -> None:
    stage = Stage()
    problems = [Problem(file="b.toml", line=7, field="start", message="wrong"), Problem(file="a.toml", message="gone")]
    stage.configured.answer = ConfigErrors(problems)
    async with admitted(stage) as client, client.post("/api/reload", data="{}") as answer:
        assert answer.status == 409
        told = msgspec.json.decode(await answer.read(), type=ReloadRefusedReply)
    assert told.error.message == "nothing has changed: 2 problems, the first: a.toml: gone"
    assert told.problems == (
        ConfigProblemReply("a.toml", 0, "", "gone"),
        ConfigProblemReply("b.toml", 7, "start", "wrong"),
    )


async def test_it_wants_no_body_and_no_parameters_and_no_strangers() -> None:
    async with admitted(Stage()) as client:
        async with client.post("/api/reload", data='{"file": "x"}') as answer:
            assert answer.status == 400
            assert "no body" in msgspec.json.decode(await answer.read(), type=ErrorReply).error.message
        async with client.post("/api/reload?force=1") as answer:
            assert answer.status == 400
    async with strangers(Stage()) as stranger, stranger.post("/api/reload") as answer:
        assert answer.status == 401


async def test_a_reload_that_takes_long_is_not_said_to_have_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reload, "ANSWER_WITHIN_S", 0.01)
    stage = Stage()

    async def never() -> Reloaded:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(stage.configured, "reload", never)
    async with admitted(stage) as client, client.post("/api/reload") as answer:
        assert answer.status == 503
        assert "may still come into force" in msgspec.json.decode(await answer.read(), type=ErrorReply).error.message
