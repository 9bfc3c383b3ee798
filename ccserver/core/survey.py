"""What a customer is asked after the talk, and who it is about: the Survey of a contact, at most one.

It exists from the moment the caller could hear the first question, so that offered surveys are counted as well as answered
ones; who hangs up in the middle leaves the marks that he gave.
"""

from collections.abc import Mapping

from msgspec import Struct

from ccserver.core.ids import AgentId, ContactId, FlowName, LineNumber, QueueName


class Survey(Struct, frozen=True, kw_only=True):
    """Immutable."""

    contact: ContactId
    flow: FlowName
    line: LineNumber
    queue: QueueName
    agent: AgentId
    """Who talked last: about him."""
    talk: int
    """The number of the segment in which he did."""
    begun_at: float
    ended_at: float | None = None
    scores: Mapping[str, int] = {}
    """By question: the variable of its `rate` step."""
