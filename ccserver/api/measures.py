"""`/api/measures`: what a supervisor puts in force at run time: an announcement, a closed line, a blocked number."""

import secrets
from collections.abc import Sequence
from datetime import datetime

from aiohttp import web
from msgspec import UNSET, UnsetType

from ccserver.api.deciding import REFUSED, decided
from ccserver.api.errors import BadInput
from ccserver.api.messages import ErrorReply, LiftQuery, MeasureReply, MeasuresReply, MeasureWish, NoQuery
from ccserver.api.operations import Answer, Operation, body_of, json_reply, query_of
from ccserver.api.sources import Configuration
from ccserver.api.views import measure_reply
from ccserver.core.admission import ANONYMOUS
from ccserver.core.events import LiftMeasure, TakeMeasure
from ccserver.core.ids import LineNumber, MeasureId, PromptName
from ccserver.core.measure import Announcement, Block, Closure, Measure
from ccserver.core.numbers import canonical, e164
from ccserver.ports import Desk

OWN_FIELDS = {
    "announcement": {"prompts"},
    "closure": {"queued", "treatment"},
    "block": {"number", "treatment", "reason"},
}
"""Of a wish, besides those that all kinds have."""


class MeasureRoutes:
    """Carried in and out; the core decides, and keeps them over a restart."""

    def __init__(self, desk: Desk, configuration: Configuration) -> None:
        self._desk = desk
        self._configuration = configuration

    def operations(self) -> Sequence[Operation]:
        """For the router and the document."""
        return (
            Operation(
                method="GET",
                path="/api/measures",
                serve=self.in_force,
                summary="The measures in force: announcements, closed lines, blocked numbers",
                answers={200: Answer("In the order in which they were taken", MeasuresReply)},
            ),
            Operation(
                method="POST",
                path="/api/measures",
                serve=self.take,
                summary="Say something to every caller, close a line now, or let a number in no more",
                body=MeasureWish,
                answers={
                    200: Answer("In force: the measure", MeasureReply),
                    **REFUSED,
                },
            ),
            Operation(
                method="DELETE",
                path="/api/measures/{id}",
                serve=self.lift,
                summary="Lift a measure",
                parameters={"id": "The measure's id"},
                query=LiftQuery,
                answers={
                    200: Answer("Lifted: those that are left", MeasuresReply),
                    404: Answer("No such measure", ErrorReply),
                    503: Answer("The engine did not answer in time", ErrorReply),
                },
            ),
        )

    async def in_force(self, request: web.Request) -> web.Response:
        """All of them."""
        query_of(request, NoQuery)
        return json_reply(self._replies())

    async def take(self, request: web.Request) -> web.Response:
        """Answers when the decision is in the journal."""
        query_of(request, NoQuery)
        wish = await body_of(request, MeasureWish)
        measure = self._measure(wish, self._desk.status().at)
        await decided(self._desk, TakeMeasure(measure, at=measure.since))
        return json_reply(measure_reply(measure))

    async def lift(self, request: web.Request) -> web.Response:
        """Who lifts it is kept with it."""
        query = query_of(request, LiftQuery)
        measure = MeasureId(request.match_info["id"])
        await decided(self._desk, LiftMeasure(measure, query.by, at=self._desk.status().at))
        return json_reply(self._replies())

    def _replies(self) -> MeasuresReply:
        return MeasuresReply(measures=tuple(measure_reply(each) for each in self._desk.status().measures))

    # --- from a wish to a measure ---------------------------------------------------------------------------------

    def _measure(self, wish: MeasureWish, now: float) -> Measure:
        _check_fields(wish)
        id_, line, until = MeasureId(secrets.token_hex(4)), self._line(wish.line), _until(wish.until)
        treatment = None if wish.treatment is UNSET else wish.treatment
        match wish.kind:
            case "announcement":
                prompts = self._prompts(wish.prompts, line)
                return Announcement(id=id_, by=wish.by, since=now, until=until, line=line, prompts=prompts)
            case "closure":
                queued = "stay" if wish.queued is UNSET else wish.queued
                return Closure(
                    id=id_, by=wish.by, since=now, until=until, line=line, queued=queued, treatment=treatment
                )
            case "block":
                return Block(
                    id=id_,
                    by=wish.by,
                    since=now,
                    until=until,
                    line=line,
                    number=self._number(wish.number),
                    treatment=treatment or "reject",
                    reason="" if wish.reason is UNSET else wish.reason,
                )

    def _line(self, asked: str | UnsetType) -> LineNumber | None:
        """As the configuration writes the number."""
        if asked is UNSET:
            return None
        plan = self._configuration.in_force.plan
        for line in plan.lines:
            if asked == line or canonical(asked, plan.rules.region) == canonical(line, plan.rules.region):
                return line
        raise BadInput(f"line: there is no line {asked}", "line")

    def _prompts(self, asked: tuple[str, ...] | UnsetType, line: LineNumber | None) -> tuple[PromptName, ...]:
        """They must have a text in every language in which a caller of the line may hear them."""
        if asked is UNSET:
            raise BadInput("the field prompts is missing", "prompts")
        config = self._configuration.in_force
        lines = (each.language for each in config.plan.lines.values() if line in (None, each.number))
        customers = (
            each.language
            for each in (*config.plan.customers.values(), *config.plan.customer_prefixes.values())
            if each.language is not None
        )
        for language in dict.fromkeys((*lines, *customers)):
            for position, prompt in enumerate(asked):
                if flaw := config.prompts.flaw(prompt, language):
                    raise BadInput(f"prompts[{position}]: {flaw}", f"prompts[{position}]")
        return tuple(map(PromptName, asked))

    def _number(self, asked: str | UnsetType) -> str:
        """A whole number may be written in any form, the beginning of one only with its country code."""
        if asked is UNSET:
            raise BadInput("the field number is missing", "number")
        number = e164(asked, self._configuration.in_force.plan.rules.region)
        if asked == ANONYMOUS or (asked.startswith("+") and asked[1:].isdigit()):
            return asked
        if number is None:
            message = f"number: {asked} is no public number; the beginning of one is written like +7495"
            raise BadInput(message, "number")
        return number


def _check_fields(wish: MeasureWish) -> None:
    """What belongs to another kind is a misunderstanding, and not to be passed over."""
    for field in set().union(*OWN_FIELDS.values()) - OWN_FIELDS[wish.kind]:
        if getattr(wish, field) is not UNSET:
            raise BadInput(f"{field}: a measure of the kind {wish.kind} has none", field)


def _until(asked: str | UnsetType) -> float | None:
    if asked is UNSET:
        return None
    try:
        at = datetime.fromisoformat(asked)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise BadInput(f"until: expected a time with its zone, like 2026-12-31T23:50Z, got {asked}", "until")
    return at.timestamp()
