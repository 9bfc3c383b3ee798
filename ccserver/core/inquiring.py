"""Flows that ask outside: the question goes out, and what came of it is written down.

Asked again after a restart, it is another question, and the answer to the first is of no interest.
"""

from msgspec.structs import replace

from ccserver.core.commands import AskLookup, LendLeg, RunFunction, StartMusic
from ccserver.core.contact import Contact
from ccserver.core.floor import Floor
from ccserver.core.ids import InquiryId
from ccserver.core.inquiry import Inquiry, InquiryKind
from ccserver.core.lookup import Lookup, address
from ccserver.core.records import InquirySaved
from ccserver.core.steps import Dialplan, LookUp, Python


def ask(floor: Floor, contact: Contact, step: LookUp | Dialplan | Python, at: float) -> Contact:
    """As the flow's position says; `conversation` takes the answer."""
    assert contact.flow is not None and contact.flow.inquiry is not None
    inquiry, known = contact.flow.inquiry, {**contact.variables, "language": contact.language}
    match step:
        case Dialplan():
            told = {name: known.get(name, "") for name in step.send}
            floor.command(LendLeg(contact.leg, inquiry, step.context, step.extension, told, step.take, lane=contact.id))
            contact = replace(contact, away=True)
            asked = _asked(contact, inquiry, "dialplan", f"{step.extension}@{step.context}", at)
        case Python():
            limits = tuple(step.ways), step.take, step.timeout_s
            floor.command(RunFunction(inquiry, contact.plan, step.function, known, *limits, lane=contact.id))
            asked = _asked(contact, inquiry, "function", step.function, at)
        case LookUp():
            lookup = floor.plan_of(contact).lookups[step.lookup]
            if step.music:
                floor.command(StartMusic(contact.leg, step.music, lane=contact.id))
            floor.command(AskLookup(inquiry, lookup, address(lookup, known), lane=contact.id))
            asked = _asked(contact, inquiry, "lookup", lookup.name, at, lookup)
    floor.record(InquirySaved(asked))
    return replace(contact, inquiries=contact.inquiries + 1, inquiry=asked)


def _asked(
    contact: Contact, inquiry: InquiryId, kind: InquiryKind, about: str, at: float, lookup: Lookup | None = None
) -> Inquiry:
    where = lookup.url.partition("?")[0] if lookup else ""
    return Inquiry(id=inquiry, contact=contact.id, kind=kind, about=about, address=where, asked_at=at)


def ended(
    floor: Floor, contact: Contact, verdict: str, at: float, *, reason: str = "", cached: bool = False
) -> Contact:
    """Written down, where something was asked. Not kept yet."""
    if contact.inquiry is None:
        return contact
    at = max(at, contact.inquiry.asked_at)
    done = replace(contact.inquiry, ended_at=at, verdict=verdict, reason=reason, cached=cached)
    floor.record(InquirySaved(done))
    return replace(contact, inquiry=None)
