"""A caller in the admin's own dialplan: what Asterisk is told as he goes there, and what he brings back.

Asterisk itself puts what he brings into one argument of Stasis, by an expression that is made here of names alone:

    cc1-1798.7.ask2&returned&level=gold%20plus
"""

from collections.abc import Mapping
from urllib.parse import unquote_plus

from ccserver.core.commands import LendLeg
from ccserver.core.events import InquiryAnswered
from ccserver.core.ids import ContactId, InquiryId
from ccserver.core.lookup import TEXT_MAX

CONTEXT = "flow-dialplan"
"""Of dialplans/flows.conf."""
OURS = "FLOW_"
"""So begin the channel variables that flow and dialplan share."""


def variables(command: LendLeg) -> Mapping[str, str]:
    """The channel variables with which he goes."""
    told = {f"{OURS}{name}": value for name, value in command.variables.items()}
    # Of another time, or another step: what the dialplan does not set it does not bring.
    unset = {f"{OURS}{name}": "" for name in command.take if name not in command.variables}
    taken = "".join(f"&{name}=${{URIENCODE(${{{OURS}{name}}})}}" for name in command.take)
    place = f"{command.context},{command.extension},1"
    return {**unset, **told, "CC_LENT": place, "CC_INQUIRY": command.inquiry, "CC_TAKE": taken}


def brought(contact: ContactId, argument: str, at: float) -> InquiryAnswered | None:
    """What came back with him; None: he comes from nowhere, or somebody else wrote the argument."""
    inquiry, *rest = argument.split("&")
    if not inquiry or not rest:
        return None
    verdict, *pairs = rest
    split = (pair.partition("=") for pair in pairs)
    values = {name: "".join(filter(str.isprintable, unquote_plus(value)))[:TEXT_MAX] for name, _, value in split}
    return InquiryAnswered(contact, InquiryId(inquiry), "dialplan", verdict, values, at=at)
