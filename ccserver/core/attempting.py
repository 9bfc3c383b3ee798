"""The attempt that a contact makes now, whoever wanted it: it is kept, given up, and taken up after a gap."""

from collections.abc import Mapping

from msgspec.structs import replace

from ccserver.core import outside
from ccserver.core.attempt import Attempt, AttemptOutcome, AttemptState, advance
from ccserver.core.commands import HangUpLeg
from ccserver.core.contact import Contact
from ccserver.core.events import Event, LegRinging, ListedLeg
from ccserver.core.floor import Floor
from ccserver.core.ids import LegId
from ccserver.core.records import AttemptSaved


def current(contact: Contact) -> Attempt:
    """There is one."""
    assert contact.attempt is not None
    return contact.attempt


def keep(floor: Floor, contact: Contact, attempt: Attempt) -> None:
    """With its contact."""
    floor.record(AttemptSaved(attempt))
    floor.keep(replace(contact, attempt=attempt))


def rang(floor: Floor, contact: Contact, event: LegRinging) -> None:
    """His phone rings, or his network is heard; however long that took, it rings its whole time."""
    attempt = current(contact)
    advanced = advance(attempt, event)
    if advanced is not attempt:
        keep(floor, contact, replace(advanced, ring_deadline=floor.now + outside.ring_timeout_s(floor, contact)))


def time_up(floor: Floor, contact: Contact, _event: Event) -> None:
    """The trunk was silent, or the phone rang, for too long."""
    silent = current(contact).state is AttemptState.DIALLING
    give_up(floor, contact, AttemptOutcome.SILENT if silent else AttemptOutcome.NO_ANSWER)


def give_up(floor: Floor, contact: Contact, outcome: AttemptOutcome) -> None:
    """Hang up its leg; what comes next begins with the leg's end."""
    attempt = current(contact)
    floor.command(HangUpLeg(attempt.leg, lane=contact.id))
    keep(floor, contact, replace(attempt, giving_up=outcome))


def take_up(floor: Floor, contact: Contact, legs: Mapping[LegId, ListedLeg]) -> None:
    """After a gap, or while it is being hung up: what was made may never have been dialled, for we died between the two."""
    attempt = contact.attempt
    leg = legs.get(attempt.leg) if attempt is not None else None
    if attempt is None or leg is None:
        return
    begun = leg.up or leg.ringing or leg.pending or attempt.state is not AttemptState.DIALLING
    if attempt.giving_up is not None or not begun:
        give_up(floor, contact, attempt.giving_up or AttemptOutcome.FAILED)
