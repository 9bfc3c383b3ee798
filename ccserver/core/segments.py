"""Segments begin and end: each becomes a record as it does.

A talk's recording and whoever listens to it follow, and what is owed of it is known.
"""

from ccserver.core import listening, recording, wrapup
from ccserver.core.contact import Contact, SegmentKind, SegmentOutcome, closed_segment, opened
from ccserver.core.floor import Floor
from ccserver.core.records import SegmentSaved


def close_segment(floor: Floor, contact: Contact, outcome: SegmentOutcome, at: float) -> Contact:
    """The open segment ends with its one outcome."""
    contact, segment = closed_segment(contact, outcome, at)
    floor.record(SegmentSaved(segment))
    if segment.kind is not SegmentKind.TALK:
        return contact
    wrapup.talk_ended(floor, contact, segment)
    return listening.talk_ended(floor, recording.talk_ended(floor, contact, segment), segment)


def open_segment(floor: Floor, contact: Contact, kind: SegmentKind, at: float, **about: object) -> Contact:
    """The next segment begins."""
    contact = opened(contact, kind, at, **about)
    assert contact.segment is not None
    floor.record(SegmentSaved(contact.segment))
    if kind is not SegmentKind.TALK:
        return contact
    wrapup.talk_began(floor, contact, contact.segment)
    return recording.talk_begins(floor, contact, contact.segment)
