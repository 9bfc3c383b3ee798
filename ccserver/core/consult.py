"""The third party of a talk: whom the agent consults while the customer hears music, and who may join the two.

    CALLING --he answers--> PRIVATE <--> JOINED
       \\______________________|___________|___he hangs up, or is dismissed___> over: the contact has none then
                                                       LEAVING: outside, and still on its trunk

He is called like anybody: a colleague by an `Offer`, a number outside by an `Attempt`, whose leg is his. So when he takes the
customer over, that offer or attempt becomes the contact's own and nothing else about him changes.
"""

from enum import StrEnum

from msgspec import Struct

from ccserver.core.attempt import Attempt
from ccserver.core.ids import AgentId, LegId, TrunkName
from ccserver.core.offer import Offer


class ConsultState(StrEnum):
    """Where a consult stands."""

    CALLING = "calling"
    """His phone is called, or rings; the agent hears how."""
    PRIVATE = "private"
    """The two talk, and the customer hears music."""
    JOINED = "joined"
    """All three talk."""
    LEAVING = "leaving"
    """The agent is back with the customer; the third, outside, is being hung up."""


APART = frozenset({ConsultState.CALLING, ConsultState.PRIVATE})
"""The agent is not with the customer."""


class Consult(Struct, frozen=True, kw_only=True):
    """Immutable; a part of its contact."""

    to: str
    """As it was asked for."""
    begun_at: float
    state: ConsultState = ConsultState.CALLING
    offer: Offer | None = None
    attempt: Attempt | None = None
    """One of the two."""
    tried: tuple[TrunkName, ...] = ()
    """Trunks that will not be tried again."""
    by: LegId | None = None
    """The agent's other leg: he dialled the third party on a second call of his phone, and holds the customer on the first. None:
    he went aside with the one that he has."""

    @property
    def called(self) -> Offer | Attempt:
        """By which he is called."""
        called = self.offer or self.attempt
        assert called is not None, "a third party who is called by nothing"
        return called

    @property
    def leg(self) -> LegId:
        """His."""
        return self.called.leg

    @property
    def agent(self) -> AgentId | None:
        """Who he is, when he is one of ours."""
        return self.offer.agent if self.offer else None

    @property
    def deadline(self) -> float | None:
        """When his silence becomes an outcome."""
        return self.called.deadline if self.state is ConsultState.CALLING else None
