"""The names of things: one NewType per kind of id, so that a leg can never be passed where a contact is meant.

An offer id is `<contact>.<n>` and is also the id of the agent's leg, and so is an attempt id that of the customer's; a play id
is `<contact>.play<n>`: one grep for the contact finds everything that was ever done for it.
"""

from typing import Literal, NewType

NodeName = NewType("NodeName", str)
"""One Asterisk machine."""
ContactId = NewType("ContactId", str)
"""`<node>-<UNIQUEID of the first leg>`."""
LegId = NewType("LegId", str)
"""An Asterisk channel id, chosen by Asterisk for who calls and by us for who is called."""
OfferId = NewType("OfferId", str)
AttemptId = NewType("AttemptId", str)
TalkId = NewType("TalkId", str)
"""`<contact>/<n of its segment>`: one talk of one agent."""
PlayId = NewType("PlayId", str)
AgentId = NewType("AgentId", str)
"""The operator's extension."""
QueueName = NewType("QueueName", str)
CalendarName = NewType("CalendarName", str)
LineNumber = NewType("LineNumber", str)
"""The number the customer dialled (DNIS), as the configuration writes it."""
TrunkName = NewType("TrunkName", str)
FlowName = NewType("FlowName", str)
StepName = NewType("StepName", str)
PromptName = NewType("PromptName", str)
Language = NewType("Language", str)
MeasureId = NewType("MeasureId", str)
Skill = NewType("Skill", str)
LookupName = NewType("LookupName", str)
InquiryId = NewType("InquiryId", str)
"""`<contact>.ask<n>`: what a flow asked outside, and when."""
PlanHash = NewType("PlanHash", str)
RecordingName = NewType("RecordingName", str)
"""File name without directory and extension, unique for ever: it begins with the contact's id."""


def contact_of_leg(node: NodeName, leg: LegId) -> ContactId:
    """The contact that a caller's leg begins: known from the leg alone, so a lost StasisStart loses nobody."""
    return ContactId(f"{node}-{leg}")


def is_chosen(node: NodeName, leg: LegId) -> bool:
    """Whether the id is one of ours (an offer's or an attempt's leg): Asterisk's own begin with a number."""
    return leg.startswith(f"{node}-")


def contact_of_made_leg(leg: LegId) -> ContactId:
    """The contact that a leg of ours was made for."""
    return ContactId(leg.rpartition(".")[0])


def leg_of_supervision(contact: ContactId, n: int) -> LegId:
    """The leg of a supervisor who listens to the contact."""
    return LegId(f"{contact}.s{n}")


def is_supervision(leg: LegId) -> bool:
    """Whether the leg is a supervisor's; should he take the talk over, it stays so."""
    return leg.rpartition(".")[2].startswith("s")


def leg_of_offer(offer: OfferId) -> LegId:
    """The agent's leg carries its offer's id."""
    return LegId(offer)


def leg_of_attempt(attempt: AttemptId) -> LegId:
    """The customer's leg carries its attempt's id."""
    return LegId(attempt)


def message_name(contact: ContactId, kind: Literal["voicemail", "comment"], n: int) -> RecordingName:
    """Of what a caller says to nobody: a message, or a comment in a survey."""
    return RecordingName(f"{contact}-{kind}{n}")


def parts_of_message(name: RecordingName) -> tuple[ContactId, str]:
    """The contact and the kind."""
    contact, _, kind = name.rpartition("-")
    return ContactId(contact), kind.rstrip("0123456789")
