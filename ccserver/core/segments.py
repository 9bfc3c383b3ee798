"""Segments begin and end: each becomes a record as it does, and a talk's recording follows."""

from ccserver.core import recording
from ccserver.core.contact import Contact, SegmentKind, SegmentOutcome, closed_segment, opened
from ccserver.core.floor import Floor
from ccserver.core.records import SegmentSaved


def close_segment(floor: Floor, contact: Contact, outcome: SegmentOutcome, at: float) -> Contact:
    """The open segment ends with its one outcome."""
    contact, segment = closed_segment(contact, outcome, at)
    floor.record(SegmentSaved(segment))
    return recording.talk_ended(floor, contact, segment) if segment.kind is SegmentKind.TALK else contact


def open_segment(floor: Floor, contact: Contact, kind: SegmentKind, at: float, **about: object) -> Contact:
    """The next segment begins."""
    contact = opened(contact, kind, at, **about)
    assert contact.segment is not None
    floor.record(SegmentSaved(contact.segment))
    return recording.talk_begins(floor, contact, contact.segment) if kind is SegmentKind.TALK else contact
