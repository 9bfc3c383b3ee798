"""What the fallback took down: owed once, the file gone only afterwards; what cannot be owed is set aside."""

import json
from pathlib import Path

import pytest

from ccserver.alarms import callbacks_waiting
from ccserver.callback_spool import CallbackSpool
from ccserver.core.events import Accepted, Answer, CallbackSource, Refused, Request, RequestCallback
from ccserver.core.ids import ContactId, NodeName


class Desk:
    """Answers every request so, and remembers it with whether the file was there."""

    def __init__(self, directory: Path, answer: Answer) -> None:
        self.directory, self.answer = directory, answer
        self.asked: list[RequestCallback] = []
        self.there: list[int] = []

    def status(self) -> None:
        raise AssertionError("not asked for")

    async def request(self, request: Request) -> Answer:
        assert isinstance(request, RequestCallback)
        self.asked.append(request)
        self.there.append(len(list(self.directory.glob("*.json"))))
        return self.answer


class Clock:
    def now(self) -> float:
        return 2000.0


def spooled(directory: Path, name: str = "17-4", **fields: object) -> Path:
    file = directory / f"{name}.json"
    told = {"ani": "89161234567", "dnis": "88007707999", "number": "89161234567", "at": 1000.0, "language": "ru"}
    file.write_text(json.dumps({**told, **fields}), encoding="utf-8")
    return file


async def read(directory: Path, answer: Answer) -> Desk:
    desk = Desk(directory, answer)
    await CallbackSpool(directory, desk, NodeName("n1"), Clock()).read()  # type: ignore[arg-type]
    return desk


async def test_a_spooled_request_is_asked_for_as_of_its_own_time_and_the_file_goes_afterwards(tmp_path: Path) -> None:
    file = spooled(tmp_path)
    desk = await read(tmp_path, Accepted(ContactId("n1-spool17-4")))
    (asked,) = desk.asked
    assert (asked.contact, asked.source, asked.at) == ("n1-spool17-4", CallbackSource.FALLBACK, 1000.0)
    assert (asked.number, asked.line) == ("89161234567", "88007707999")
    assert desk.there == [1] and not file.exists()
    assert callbacks_waiting(tmp_path) == ""


async def test_a_clock_that_was_ahead_makes_no_request_of_the_future(tmp_path: Path) -> None:
    spooled(tmp_path, at=9000.0)
    (asked,) = (await read(tmp_path, Accepted())).asked
    assert asked.at == 2000.0


async def test_the_oldest_is_asked_for_first(tmp_path: Path) -> None:
    for name in ("30-1", "10-1", "20-1"):
        spooled(tmp_path, name)
    desk = await read(tmp_path, Accepted())
    assert [asked.contact for asked in desk.asked] == ["n1-spool10-1", "n1-spool20-1", "n1-spool30-1"]


async def test_what_the_core_refuses_is_set_aside_and_an_alarm_tells(tmp_path: Path) -> None:
    spooled(tmp_path, number="88091234567")
    await read(tmp_path, Refused("premium rate", "number"))
    assert [file.name for file in tmp_path.iterdir()] == ["17-4.refused"]
    assert "1 callback request could not be taken" in callbacks_waiting(tmp_path)
    assert not (await read(tmp_path, Accepted())).asked, "nor is it asked for again"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"number": 5}', '{"number":"1","dnis":"","at":-1}', "\0" * 99])
async def test_what_makes_no_sense_is_set_aside(tmp_path: Path, content: str) -> None:
    (tmp_path / "1.json").write_text(content, encoding="utf-8")
    assert not (await read(tmp_path, Accepted())).asked
    assert [file.name for file in tmp_path.iterdir()] == ["1.refused"]


async def test_one_still_being_written_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".17-4.tmp").write_text("{", encoding="utf-8")
    assert not (await read(tmp_path, Accepted())).asked
    assert (tmp_path / ".17-4.tmp").exists()
