"""The list of finished contacts follows the picture although the store lags behind it."""

import pytest

from ccserver.api.finished import AWAITED_S, SHOWN, Finished
from ccserver.core.ids import ContactId
from ccserver.store.errors import StoreUnavailable
from tests.api_stage import Stage


def see(finished: Finished, stage: Stage, later_s: float = 0.0) -> None:
    finished.see(stage.contacts, stage.now() + later_s)


async def ids(finished: Finished) -> list[str]:
    return [contact.id for contact in await finished.newest()]


def talked(stage: Stage, extension: str = "1001") -> ContactId:
    contact = stage.arrive(ago_s=30)
    stage.enqueue(contact)
    stage.answer(contact, extension, ago_s=10)
    return contact


async def test_it_begins_with_what_the_store_has() -> None:
    stage = Stage()
    old = talked(stage)
    stage.end(old)
    finished = Finished(stage.archive)
    see(finished, stage)
    assert await ids(finished) == [old]


async def test_a_live_contact_is_not_in_it() -> None:
    stage = Stage()
    live = stage.arrive()
    finished = Finished(stage.archive)
    see(finished, stage)
    assert await ids(finished) == []
    stage.end(live)
    see(finished, stage)
    assert await ids(finished) == [live]


async def test_the_order_is_that_of_ends_and_not_of_arrivals() -> None:
    stage = Stage()
    finished = Finished(stage.archive)
    long, short = talked(stage), talked(stage, "1002")
    see(finished, stage)
    assert await ids(finished) == []
    stage.end(short)
    stage.end(long)
    see(finished, stage)
    assert await ids(finished) == [long, short]


async def test_a_contact_that_the_store_does_not_know_yet_comes_when_it_does() -> None:
    stage = Stage()
    finished = Finished(stage.archive)
    contact = talked(stage)
    gone = stage.status().contacts[0]
    see(finished, stage)
    stage.end(contact, kept=False)
    see(finished, stage)
    assert await ids(finished) == []
    stage.keep(gone)
    assert await ids(finished) == [contact]


async def test_a_recording_that_comes_later_is_added() -> None:
    stage = Stage()
    finished = Finished(stage.archive)
    contact = talked(stage)
    gone = stage.status().contacts[0]
    see(finished, stage)
    stage.end(contact, recorded=False)
    see(finished, stage)
    assert [row.recording for row in await finished.newest()] == [None]
    stage.keep(gone)
    assert [row.recording for row in await finished.newest()] == [f"/api/contacts/{contact}/recording"]


async def test_what_never_comes_is_given_up() -> None:
    stage = Stage()
    finished = Finished(stage.archive)
    contact = talked(stage)
    see(finished, stage)
    assert await ids(finished) == []
    stage.end(contact, kept=False)
    see(finished, stage)
    assert await ids(finished) == []
    assert stage.archive.asked == 1
    see(finished, stage, AWAITED_S + 1)
    assert await ids(finished) == []
    assert stage.archive.asked == 1


async def test_a_contact_that_came_and_went_between_two_pictures_is_found_too() -> None:
    stage = Stage()
    finished = Finished(stage.archive)
    see(finished, stage)
    assert await ids(finished) == []
    contact = stage.arrive()
    stage.end(contact)
    see(finished, stage)
    assert await ids(finished) == [contact]


async def test_a_store_that_was_away_is_asked_again_and_nothing_is_forgotten() -> None:
    stage = Stage()
    finished = Finished(stage.archive)
    contact = talked(stage)
    see(finished, stage)
    assert await ids(finished) == []
    stage.end(contact)
    see(finished, stage)
    stage.archive.away = "stopped"
    with pytest.raises(StoreUnavailable):
        await finished.newest()
    stage.archive.away = None
    assert await ids(finished) == [contact]


async def test_it_is_bounded() -> None:
    stage = Stage()
    for _ in range(SHOWN + 5):
        stage.end(talked(stage))
    finished = Finished(stage.archive)
    see(finished, stage)
    assert len(await ids(finished)) == SHOWN


async def test_who_watches_again_sees_what_ended_meanwhile() -> None:
    stage = Stage()
    finished = Finished(stage.archive)
    see(finished, stage)
    assert await ids(finished) == []
    finished.forget()
    contact = talked(stage)
    stage.end(contact)
    see(finished, stage)
    assert await ids(finished) == [contact]
