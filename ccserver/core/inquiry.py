"""A question that a flow put outside while the caller waited, and what came of it: for `explain`. `core.inquiring` makes them."""

from typing import Literal

from msgspec import Struct

from ccserver.core.ids import ContactId, InquiryId

InquiryKind = Literal["lookup", "function", "dialplan"]


class Inquiry(Struct, frozen=True, kw_only=True):
    """Without anything of the caller's own, and without secrets: it is kept."""

    id: InquiryId
    contact: ContactId
    kind: InquiryKind
    about: str
    """The lookup's name, the function's, or place and context in the dialplan."""
    address: str = ""
    """Of a lookup, as it is configured: `{name}` where a variable stood, and nothing from the `?` on."""
    asked_at: float
    ended_at: float | None = None
    """None: nobody has waited for the answer."""
    verdict: str = ""
    """As `InquiryAnswered` tells it; `failed` also when it came too late."""
    reason: str = ""
    """Why it failed, for people."""
    cached: bool = False
    """An answer to the same question was still good: nobody was asked."""
