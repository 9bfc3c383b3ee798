"""What hangs is named, and one answer that does not come is no alarm."""

import asyncio

import pytest

from ccserver.connectors.voice import liveness
from ccserver.connectors.voice.liveness import Liveness, Probe, Pulse, Silent


class Part:
    """A part of Asterisk: `answers` until told otherwise; `asked` is set at each question."""

    def __init__(self) -> None:
        self.answers: bool | None = True
        """None: it hangs."""
        self.questions = 0
        self.asked = asyncio.Condition()

    async def ask(self) -> None:
        self.questions += 1
        async with self.asked:
            self.asked.notify_all()
        if self.answers is None:
            await asyncio.Event().wait()
        if not self.answers:
            raise Silent("refused")

    async def after(self, questions: int) -> None:
        """So many more were asked."""
        target = self.questions + questions
        async with self.asked:
            await self.asked.wait_for(lambda: self.questions >= target)


class Watched:
    def __init__(self) -> None:
        self.parts = {name: Part() for name in ("ari", "ami", "sip")}
        probes = {name: Probe(part.ask, 0.01) for name, part in self.parts.items()}
        self.liveness = Liveness(probes, within_s=0.02)

    async def __aenter__(self) -> "Watched":
        self._running = asyncio.get_running_loop().create_task(self.liveness.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)

    async def settles(self) -> str:
        """The alarm when every part has been asked often enough."""
        await asyncio.gather(*(part.after(4) for part in self.parts.values()))
        return self.liveness.alarm()


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(liveness, "AGAIN_S", 0.01)


async def test_while_all_answer_there_is_no_alarm() -> None:
    async with Watched() as watched:
        assert await watched.settles() == ""
        assert all(pulse.alive and pulse.latency_s > 0 for pulse in watched.liveness.pulses.values())


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("ari", "ARI hangs (refused): calls cannot be steered; AMI and SIP (PJSIP) of the same Asterisk answer"),
        ("ami", "AMI hangs (refused): talks are not recorded; ARI and SIP (PJSIP) of the same Asterisk answer"),
        (
            "sip",
            "SIP (PJSIP) hangs (refused): phones can neither call nor register; ARI and AMI of the same Asterisk answer",
        ),
    ],
)
async def test_one_part_that_does_not_answer_is_named_with_what_people_will_notice(part: str, said: str) -> None:
    async with Watched() as watched:
        watched.parts[part].answers = False
        assert await watched.settles() == said
        watched.parts[part].answers = True
        assert await watched.settles() == ""


async def test_a_part_that_hangs_is_told_by_the_time_it_was_waited_for_and_keeps_no_other_from_being_asked() -> None:
    async with Watched() as watched:
        watched.parts["ari"].answers = None
        assert "ARI hangs (no answer within 0.02 s)" in await watched.settles()


async def test_two_parts_that_hang_are_both_named() -> None:
    async with Watched() as watched:
        watched.parts["ari"].answers = watched.parts["ami"].answers = False
        said = await watched.settles()
    assert "ARI hangs" in said and "AMI hangs" in said and said.endswith("SIP (PJSIP) of the same Asterisk answers")


async def test_when_nothing_answers_it_is_asterisk_that_is_dead() -> None:
    async with Watched() as watched:
        for part in watched.parts.values():
            part.answers = False
        assert (await watched.settles()).startswith("Asterisk is dead or hangs: nothing of it answers (ARI: refused, ")


async def test_one_answer_that_does_not_come_is_no_alarm() -> None:
    watched = Watched()
    part = watched.parts["ari"]
    part.answers = False
    assert await watched.liveness._asked("ari", part.ask) == Pulse(
        alive=True, in_vain=1, reason="refused", since=_any()
    )


class _any(float):
    def __eq__(self, _: object) -> bool:
        return True

    __hash__ = float.__hash__
