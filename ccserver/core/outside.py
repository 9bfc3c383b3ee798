"""Somebody outside is called for a customer who is here: by which trunk, and what the rules of calls that leave say to it."""

from msgspec.structs import replace

from ccserver.core import tolls
from ccserver.core.attempt import Attempt
from ccserver.core.commands import DialCustomer
from ccserver.core.contact import Contact
from ccserver.core.counting import counted
from ccserver.core.floor import Floor
from ccserver.core.ids import AgentId, AttemptId, LegId, TrunkName
from ccserver.core.numbers import canonical, written
from ccserver.core.recording import must_mix
from ccserver.core.records import AttemptSaved
from ccserver.core.routing import RING_GRACE_S
from ccserver.core.trunking import choose

ATTEMPTS_MAX = 20
"""In one contact: whatever goes wrong, it ends."""


def not_let_out(floor: Floor, contact: Contact, by: AgentId | None, number: str) -> str:
    """Why the number cannot be called on this operator's account (None: the house's) now; empty: it can."""
    plan, operator = floor.plan_of(contact), floor.plan.operators.get(by) if by is not None else None
    if contact.attempt is not None:
        return "the customer was called himself: he cannot be connected with anybody outside"
    if operator is None and by is not None:
        return f"{by} is no operator any more"
    calls = counted(floor, floor.now)
    by_him = calls.by_agent.get(by, 0) if by is not None else 0
    refusal = tolls.refusal(plan, operator, number, by_him=by_him, by_all=calls.in_all)
    if refusal is not None:
        return refusal.why
    choice = choose(floor, replace(contact, tried=()))
    return "" if choice.trunk is not None else "; ".join(choice.flaws) or "there is no trunk"


def ring_timeout_s(floor: Floor, contact: Contact) -> float:
    """How long the phone of whom we call may ring."""
    asked_s = contact.forward.ring_s if contact.forward is not None else None
    return floor.plan_of(contact).outbound.ring_timeout_s if asked_s is None else asked_s


def call(
    floor: Floor,
    contact: Contact,
    number: str,
    tried: tuple[TrunkName, ...],
    music: str,
    *,
    aside: LegId | None = None,
) -> Attempt | str:
    """By the best trunk that is left, into the contact's bridge, or to whom waits `aside`; or why there is none.

    `music`: what the customer hears meanwhile.
    """
    choice = choose(floor, replace(contact, tried=tried))
    if choice.trunk is None or contact.attempts >= ATTEMPTS_MAX:
        return "; ".join(choice.flaws) or "there is no trunk left"
    plan, region, trunk = floor.plan_of(contact), floor.rules.region, choice.trunk
    line = plan.lines[contact.line]
    attempt = Attempt(
        id=AttemptId(f"{contact.id}.{contact.made + 1}"),
        contact=contact.id,
        trunk=trunk.name,
        number=written(number, trunk.number_format, region),
        made_at=floor.now,
        why=choice.why,
        reach_deadline=floor.now + trunk.reach_timeout_s,
        ring_deadline=floor.now + ring_timeout_s(floor, contact),
    )
    floor.command(
        DialCustomer(
            attempt.id,
            contact.leg,
            trunk.name,
            attempt.number,
            written(canonical(line.caller_id or line.number, region), trunk.number_format, region),
            trunk.reach_timeout_s + ring_timeout_s(floor, contact) + RING_GRACE_S,
            None,
            aside=aside,
            music=music,
            mixed=must_mix(contact, 1) and not aside,
            lane=contact.id,
        )
    )
    floor.record(AttemptSaved(attempt))
    return attempt
