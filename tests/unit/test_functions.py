"""Functions of the admin's own, in real processes: what they may return, and what becomes of those that go wrong."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from ccserver.connectors.functions import Functions
from ccserver.core.commands import RunFunction
from ccserver.core.events import Fact, InquiryAnswered
from ccserver.core.ids import InquiryId, PlanHash

PLAN = PlanHash("plan")
SOURCE = """
import os
import sys
import time

COUNT = 0

def level(variables):
    return "gold", {"level": variables["ani"][-1], "sum": 12, "vip": True}

def plain(variables):
    return {"level": "none"}

def nothing(variables):
    print("said by a function")

def way(variables):
    return "gold"

def wrong(variables):
    return {"level": 1 / int(variables["zero"])}

def deep(variables):
    return sorted([1, "x"])

def number(variables):
    return 7

def table(variables):
    return {"level": [1]}

def elsewhere(variables):
    return "silver"

def strange(variables):
    return {"colour": "red"}

def lines(variables):
    return {"level": "a\\nb"}

def writes(variables):
    variables["ani"] = "me"

def sleeps(variables):
    time.sleep(60)

def leaves(variables):
    sys.exit(3)

def dies(variables):
    os.kill(os.getpid(), 9)

def eats(variables):
    return {"level": "x" * (1 << 31)}

def counts(variables):
    global COUNT
    COUNT += 1
    return {"level": COUNT}

def process(variables):
    return {"level": os.getpid()}
"""


class Desk:
    """The connector, and what it told."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[Fact] = asyncio.Queue()
        self.source = SOURCE
        self.functions = Functions(self.told.put_nowait, lambda _plan, _name: self.source, Path("/own"))

    def put(self, name: str, timeout_s: float = 10.0, **variables: str) -> None:
        self.functions.perform(
            RunFunction(
                InquiryId("n1-c1.ask1"),
                PLAN,
                f"loyalty.{name}",
                {"ani": "+7911", "zero": "0", **variables},
                ("gold",),
                ("level", "sum", "vip"),
                timeout_s,
                lane="n1-c1",
            )
        )

    async def ask(self, name: str, timeout_s: float = 10.0, **variables: str) -> InquiryAnswered:
        self.put(name, timeout_s, **variables)
        return await self.hear()

    async def hear(self) -> InquiryAnswered:
        async with asyncio.timeout(30):
            fact = await self.told.get()
        assert isinstance(fact, InquiryAnswered)
        return fact


@asynccontextmanager
async def desk() -> AsyncIterator[Desk]:
    at = Desk()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(at.functions.run(), name="functions")
        yield at
        running.cancel()


@pytest.mark.parametrize(
    ("name", "verdict", "values"),
    [
        ("level", "gold", {"level": "1", "sum": "12", "vip": "yes"}),
        ("plain", "next", {"level": "none"}),
        ("nothing", "next", {}),
        ("way", "gold", {}),
    ],
)
async def test_it_returns_variables_a_way_both_or_nothing(name: str, verdict: str, values: dict[str, str]) -> None:
    async with desk() as at:
        told = await at.ask(name)
        assert (told.about, told.verdict, told.values) == (f"loyalty.{name}", verdict, values)
        assert (told.contact, told.reason) == ("n1-c1", "")


def line_of(text: str) -> int:
    return SOURCE[: SOURCE.index(text)].count("\n") + 1


WRONG: dict[str, str] = {
    "wrong": f"raised ZeroDivisionError at loyalty.py:{line_of('    return {') + 9}",
    "deep": f"raised TypeError at loyalty.py:{line_of('    return sorted')}",
    "number": "returned a value of type int: expected None, the name of a way, a dict of variables, or both as (name, dict)"
    f" at loyalty.py:{line_of('def number')}",
    "table": f"returned a variable of type list: expected texts and numbers at loyalty.py:{line_of('def table')}",
    "elsewhere": "returned a way that its step has not; it has gold",
    "strange": "returned the variable colour, which its step does not take",
    "lines": "returned for level no text of at most 200 characters on one line",
    "writes": f"raised TypeError at loyalty.py:{line_of('    variables[')}",
    "leaves": f"raised SystemExit at loyalty.py:{line_of('    sys.exit')}",
    "dies": "ended its process (signal 9)",
    "eats": f"raised MemoryError at loyalty.py:{line_of('    return {') + 59}",
    "missing": "there is no function missing",
}


@pytest.mark.parametrize("name", WRONG)
async def test_what_goes_wrong_is_told_with_file_and_line_and_the_next_question_is_answered(name: str) -> None:
    async with desk() as at:
        with capture_logs() as logs:
            told = await at.ask(name)
        assert (told.verdict, dict(told.values)) == ("failed", {})
        expected = WRONG[name].partition(" at loyalty.py")
        assert told.reason.startswith(expected[0])
        if name not in {"wrong", "eats"}:
            assert told.reason == WRONG[name]
        (line,) = logs
        assert (line["event"], line["function"], line["reason"]) == ("function failed", f"loyalty.{name}", told.reason)
        assert (await at.ask("way")).verdict == "gold"


async def test_one_that_hangs_is_stopped_in_time_with_its_process() -> None:
    async with desk() as at:
        before = (await at.ask("process")).values["level"]
        for _ in range(3):
            at.put("process")  # every process is begun, so that the one that hangs may be any
        others = {before, *[(await at.hear()).values["level"] for _ in range(3)]}
        told = await at.ask("sleeps", 0.5)
        assert told.reason == "did not end within 0.5 s and was stopped" and 0.5 <= told.took_s < 5.0
        gone = [pid for pid in others if not Path(f"/proc/{pid}").exists()]
        assert len(gone) <= 1 and os.getpid() not in map(int, others)
        assert (await at.ask("way")).verdict == "gold"


async def test_those_that_wait_for_a_process_wait_no_longer_than_they_may() -> None:
    async with desk() as at:
        for _ in range(4):
            at.put("sleeps", 1.0)
        told = await at.ask("way", 0.2)
        assert told.verdict == "failed"
        reasons = [(await at.hear()).reason for _ in range(4)]
        assert "had to wait for others until its time was over" in [told.reason, *reasons]


async def test_what_a_file_keeps_it_keeps_until_its_text_changes() -> None:
    async with desk() as at:
        first = [int((await at.ask("counts")).values["level"]) for _ in range(8)]
        assert max(first) > 1, "the same process runs it again"
        at.source = SOURCE + "\n# another text\n"
        assert [int((await at.ask("counts")).values["level"]) for _ in range(1)] == [1]


@pytest.mark.parametrize(
    ("source", "reason"),
    [("def level(:", "is no Python: "), ("raise ValueError('x')", "raised ValueError at loyalty.py:1")],
)
async def test_a_file_that_cannot_be_run_is_told(source: str, reason: str) -> None:
    async with desk() as at:
        at.source = source
        told = await at.ask("level")
        assert told.verdict == "failed" and told.reason.startswith(reason)


def test_nobody_is_asked_while_the_type_is_another(tmp_path: Path) -> None:
    functions: Any = Functions(lambda _: None, lambda _plan, _name: "", tmp_path)
    with pytest.raises(AssertionError):
        functions.perform(object())
