"""How the API writes times, and what it makes of the core's values."""

import pytest
from msgspec.structs import replace

from ccserver.api.messages import instant, seconds
from ccserver.api.views import contact_detail_reply, contact_reply, recording_url, status_reply
from ccserver.core.ids import ContactId, RecordingName
from tests.api_stage import NORDLIS, ORDERS, Stage


@pytest.mark.parametrize(
    ("at", "written"),
    [
        (0.0, "1970-01-01T00:00:00.000Z"),
        (1767258000.0, "2026-01-01T09:00:00.000Z"),
        (1767258000.25, "2026-01-01T09:00:00.250Z"),
        (1767258000.0016, "2026-01-01T09:00:00.002Z"),
        (1767258000.9999, "2026-01-01T09:00:01.000Z"),
    ],
)
def test_an_instant_is_iso_8601_in_utc_with_rounded_milliseconds(at: float, written: str) -> None:
    assert instant(at) == written


def test_a_duration_is_rounded_to_the_millisecond_and_never_negative() -> None:
    assert seconds(2.0004) == 2.0
    assert seconds(2.0006) == 2.001
    assert seconds(-0.25) == 0.0


def test_a_live_contact_has_no_outcome_no_end_and_no_durations() -> None:
    stage = Stage()
    contact = stage.arrive()
    stage.keep(stage.contacts[contact])
    row = replace(stage.archive.kept[contact], outcome=None, ended_at=None)
    reply = contact_reply(row)
    assert (reply.outcome, reply.ended_at) == (None, None)
    assert (reply.ivr_s, reply.wait_s, reply.ring_s, reply.talk_s) == (None, None, None, None)


def test_a_finished_contact_shows_its_first_queue_its_agent_and_where_to_hear_it() -> None:
    stage = Stage()
    contact = stage.arrive(ago_s=60)
    stage.enqueue(contact, ORDERS)
    stage.answer(contact, "1003", ago_s=20)
    stage.end(contact)
    reply = contact_reply(stage.archive.kept[contact])
    assert (reply.queue, reply.agent, reply.line) == (ORDERS, "1003", NORDLIS)
    assert reply.recording == f"/api/contacts/{contact}/recording"
    assert reply.ivr_s == 4.0
    assert reply.talk_s is not None
    assert 20 <= reply.talk_s < 30


def test_a_detail_has_segments_in_order_with_their_durations() -> None:
    stage = Stage()
    contact = stage.arrive(ago_s=60)
    stage.enqueue(contact)
    stage.answer(contact, "1003")
    stage.end(contact)
    detail = contact_detail_reply(stage.archive.kept[contact])
    assert [(segment.n, segment.kind, segment.duration_s) for segment in detail.segments][:2] == [
        (1, "flow", 4.0),
        (2, "queue", 7.25),
    ]
    assert detail.offers[0].why == "longest idle of 3"
    assert detail.recordings[0].url == f"/api/contacts/{contact}/recording?name={contact}.1"


def test_a_strange_contact_id_cannot_break_out_of_its_url() -> None:
    assert (
        recording_url(ContactId("a/b?c#d"), RecordingName("x&y")) == "/api/contacts/a%2Fb%3Fc%23d/recording?name=x%26y"
    )


def test_the_link_is_up_only_when_every_asterisk_is_and_there_is_one() -> None:
    stage = Stage()
    assert status_reply(stage.status(), ()).asterisk.connected
    stage.link(connected=False)
    assert not status_reply(stage.status(), ()).asterisk.connected
    stage.nodes = ()
    assert not status_reply(stage.status(), ()).asterisk.connected
