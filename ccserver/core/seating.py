"""Who hears whom: told whole, as the contact is now, so that it may be told again after any gap."""

from collections.abc import Container

from ccserver.core.commands import SeatLegs
from ccserver.core.consult import APART, ConsultState
from ccserver.core.contact import Contact, ContactState, SegmentKind
from ccserver.core.floor import Floor
from ccserver.core.ids import LegId
from ccserver.core.recording import must_mix


def seat(floor: Floor, contact: Contact, living: Container[LegId] | None = None) -> None:
    """The customer with the agent, or under music with the one who is rung; or he hears music, and the agent is aside, perhaps
    with the third party. Two colleagues, or an operator and whom he called, are together. Who consults by a second call holds the
    customer with his phone, and only that call is aside.

    `living`: legs that are known to be there; a third party's that is still being made seats itself.
    """
    if contact.led_by_operator:
        other = (contact.called.leg,) if contact.called else ()
        floor.command(SeatLegs(contact.leg, (contact.leg, *other), (), "", lane=contact.id))
        return
    agent = contact.agent_leg or (contact.attempt.leg if contact.attempt else None)
    assert agent is not None, f"{contact.id}: nobody is with the customer"
    consult = contact.consult if contact.consult and contact.consult.state is not ConsultState.LEAVING else None
    third = (consult.leg,) if consult and (living is None or consult.leg in living) else ()
    if consult is not None and consult.by is not None:
        seats = SeatLegs(contact.leg, (contact.leg, agent), (consult.by, *third), "", lane=contact.id)
        floor.command(seats)
        return
    apart = contact.parked or (consult is not None and consult.state in APART)
    talking = contact.segment is not None and contact.segment.kind is SegmentKind.TALK
    others = 0 if apart else len(third) if talking else 1
    floor.command(
        SeatLegs(
            contact.leg,
            (contact.leg,) if apart else (contact.leg, agent, *third),
            (agent, *third) if apart else (),
            hold_music(floor, contact) if apart or contact.state is ContactState.OFFERED else "",
            mixed=must_mix(contact, others),
            lane=contact.id,
        )
    )


def hold_music(floor: Floor, contact: Contact) -> str:
    """What a customer on hold hears: the music of the queue he came from, or is in, if there is one."""
    place = contact.place or contact.last_place
    return "default" if place is None else floor.plan_of(contact).queues[place.queue].music
