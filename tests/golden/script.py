"""Golden scripts: what happens, in words, and below it, after `>`, what the core decided. Reviewers read their diff first.

    queue support skills=en ring=15     the house: queues, operators and flow steps, until the first thing happens
    operator anna skills=en:5
    language en = english               speaking it is a skill
    callbacks tries=2 no_answer_retry_s=60
    flow wait = { do = "queue", queue = "support" }     a step of the line's flow, main; `flow vip.ask`: of another
    line answer=operator closed=busy    how the line answers; who says `closed` has a line that is
    lookup shop https://shop/{ani} timeout=3     another computer; `c1 is-told ask1 found status=sent` is its answer
    blocked +7916 treatment=busy
    supervisor announces fire           or: closes queued=close, blocks +7916; m1, m2 … are measures; supervisor lifts m1
    trunk mtt priority=1 channels=2     usable until `mtt fails`; with `mtt works` it is again
    anna ready                          what happens; the phone of an operator is registered with his first wish
    c1 calls
      > c1: answer                      what was decided: commands, outcomes, states
      > offer c1.1 to anna: longest idle of 1 able to take it
    c1.1 is-dialled                     her leg is made and her phone called; then it rings, answers, hangs-up …
    anna dials 89161234567 as d1        what she dialled; `d1.1` is the first attempt to reach the customer
    program has anna call 8916… as d1   click-to-call: `d1.1` is the leg of her own phone
    anna calls bob as i1                a colleague; `i1.1` is his leg
    anna dials *11                      a feature code; she hears the answer to its end
    rules rona_limit=2                  of the house; `topics support required 1=goods` are those of a queue
    d1.1 overloaded
    after 15s
    why c1                              what `ccserver explain` would tell of the contact, or of an operator: why anna

`play` runs the script and returns it with the lines after `>` as they came out. CCSERVER_GOLDEN=rewrite writes them back:
commit the change only if you understand what caused it.
"""

import re
from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from ccserver.core.agent import Agent, AgentState
from ccserver.core.calendar import Calendar, Span
from ccserver.core.contact import Contact
from ccserver.core.events import (
    AnyEvent,
    BeginConsult,
    CallCustomer,
    CodeDialled,
    ConfigReplaced,
    ContactArrived,
    GiveDisposition,
    HoldCustomer,
    InquiryAnswered,
    InternalDialled,
    KeyPressed,
    LegAnswered,
    LegAway,
    LegDialled,
    LegEnded,
    LegHeld,
    LegHistory,
    LegRinging,
    LegUnheld,
    LegUnseated,
    LiftMeasure,
    ListedLeg,
    ListedTrunk,
    MoveContact,
    NodeConnected,
    NodeListed,
    NodeLost,
    OutboundDialled,
    PhoneChanged,
    PlayFinished,
    Refused,
    SetAgentState,
    SetPriority,
    SteerConsult,
    SteerRecording,
    SuperviseContact,
    TakeMeasure,
    TransferContact,
    TransferRequested,
    TrunkChanged,
    VoicemailRecorded,
)
from ccserver.core.floor import Outcome
from ccserver.core.ids import (
    AgentId,
    CalendarName,
    ContactId,
    FlowName,
    InquiryId,
    Language,
    LegId,
    LineNumber,
    LookupName,
    MeasureId,
    NodeName,
    PlanHash,
    QueueName,
    RecordingName,
    Skill,
    StepName,
    TrunkName,
)
from ccserver.core.lookup import Lookup
from ccserver.core.measure import Measure
from ccserver.core.plan import (
    Blocked,
    Callbacks,
    Customer,
    Dispositions,
    Line,
    Operator,
    Outbound,
    Plan,
    Queue,
    RecordPolicy,
    Rules,
    Trunk,
)
from ccserver.core.records import AgentSaved, Record
from ccserver.core.router import Router, State
from ccserver.core.steps import Flow, SkillNeed, Step
from ccserver.core.supervision import SupervisionMode
from tests.golden.explaining import why
from tests.golden.saying import said

NODE, LINE, MAIN = NodeName("n"), LineNumber("8800"), FlowName("main")
NEVER = Calendar(CalendarName("never"), "Europe/Moscow", ((),) * 7)
ALWAYS = Calendar(CalendarName("always"), "Europe/Moscow", ((Span(0, 24 * 60),),) * 7)
MEASURED = {"announces": "announcement", "closes": "closure", "blocks": "block", "lifts": ""}
CAUSES = {
    "busy": (17, 486),
    "refuses": (21, 603),
    "unreachable": (19, 480),
    "overloaded": (34, 503),
    "unknown": (1, 404),
    "hangs-up": (16, None),
}
SETTINGS = {
    "ring": "ring_timeout_s",
    "reach": "reach_timeout_s",
    "wrapup": "wrap_up_s",
    "priority": "priority_s",
    "tell": "tell_every_s",
    "missed-after": "callback_missed_after_s",
    "missed-wait": "callback_missed_wait_s",
    "sticky-wait": "sticky_wait_s",
}


ROLES = {"d": ("outbound", "customer"), "i": ("internal", "agent")}
"""Of the legs of a call that an operator made, by its first letter: to a customer, to a colleague."""


class ScriptError(Exception):
    """A line that means nothing."""


def play(script: str) -> str:
    """The script with its decisions as they are."""
    stage, told = Stage(), []
    for number, line in enumerate(script.splitlines(), 1):
        if line.lstrip().startswith(">"):
            continue
        told.append(line)
        if line and not line.startswith("#"):
            try:
                told += [f"  > {decision}" for decision in stage.perform(line)]
            except (ScriptError, KeyError, ValueError, IndexError) as error:
                raise ScriptError(f"line {number}: {line.strip()}: {error}") from error
    return "\n".join(told) + "\n"


class Stage:
    """The router and what the script says of the world."""

    def __init__(self) -> None:
        self.queues: dict[QueueName, Queue] = {}
        self.operators: dict[AgentId, Operator] = {}
        self.trunks: dict[TrunkName, Trunk] = {}
        self.flows: dict[FlowName, dict[StepName, Step]] = {}
        self.rules = Rules(reconcile_every_s=86400.0)
        self.languages: dict[Language, Skill] = {}
        self.start: StepName | None = None
        self.callbacks = Callbacks()
        self.customers: dict[str, Customer] = {}
        self.lookups: dict[LookupName, Lookup] = {}
        self.line: dict[str, str] = {}
        self.blocked: list[Blocked] = []
        self.measures = 0
        self.router: Router | None = None
        self.now = 0.0
        self.started_at = -1.0
        self.phones: set[AgentId] = set()
        self.states: dict[AgentId, tuple[str, str]] = {}
        self.alive = True
        self.journalled = b""
        self.records: list[Record] = []

    def perform(self, line: str) -> Iterator[str]:
        """One line; what it led to."""
        match words := line.split():
            case ["queue", name, *options]:
                self._queue(name, dict(option.split("=") for option in options))
            case ["rules", *options]:
                self._rules(dict(option.split("=") for option in options))
            case ["topics", queue, *options]:
                self._topics(QueueName(queue), options)
            case ["blocked", number, *options]:
                self.blocked.append(
                    msgspec.convert({"numbers": [number], **dict(each.split("=") for each in options)}, Blocked)
                )
            case ["line", *options]:
                self.line = dict(option.split("=") for option in options)
            case ["operator", name, *options]:
                self._operator(name, dict(option.split("=") for option in options))
            case ["customer", number, *options]:
                self._customer(number, dict(option.split("=") for option in options))
            case ["lookup", name, url, timeout]:
                self.lookups[LookupName(name)] = Lookup(
                    LookupName(name), url, timeout_s=float(timeout.partition("=")[2])
                )
            case ["language", language, "=", skill]:
                self.languages[Language(language)] = Skill(skill)
            case ["trunk", name, *options]:
                self._trunk(name, dict(option.split("=") for option in options))
            case ["callbacks", *options]:
                settings = {option: float(value) for option, _, value in (each.partition("=") for each in options)}
                self.callbacks = msgspec.convert(settings, Callbacks, strict=False)
            case ["flow", name, "=", *_]:
                self._step(name, line.partition("=")[2])
            case ["why", who]:
                yield from why(self.records, self.router, who, self.now)
            case ["start", name]:
                self.start = StepName(name)
            case ["after", duration]:
                yield from self._wait(float(duration.removesuffix("s")))
            case ["killed"]:
                self.alive = False
            case ["starts"]:
                self._restore()
            case ["asterisk", "dies"]:
                yield from self._tell(NodeLost(NODE, at=self.now))
            case ["asterisk", "starts"]:
                self.started_at = self.now
            case ["connects", "and", "lists", *legs]:
                yield from self._connect(legs)
            case _:
                yield from self._tell(*self._events(words))

    # --- the house ------------------------------------------------------------------------------------------------

    def _queue(self, name: str, options: dict[str, str]) -> None:
        skills = tuple(SkillNeed(Skill(skill), level) for skill, level in _levels(options.pop("skills", "")))
        chosen = {field: options.pop(field) for field in ("pick", "language", "survey") if field in options}
        called = {"callback_missed": "missed-after" in options, "callback_first": options.pop("first", "agent")}
        record = options.pop("record", "never")
        sticky = int(options.pop("sticky", 0))
        whisper = [options.pop("whisper")] if "whisper" in options else []
        settings = {SETTINGS[option]: float(value) for option, value in options.items()}
        fields = {
            "name": name,
            "title": name,
            "skills": skills,
            **chosen,
            "record": record,
            "sticky_days": sticky,
            "whisper": whisper,
            **settings,
            **called,
        }
        self.queues[QueueName(name)] = msgspec.convert(fields, Queue)

    def _rules(self, options: dict[str, str]) -> None:
        settings = {option: float(value) for option, value in options.items()}
        self.rules = msgspec.convert({**msgspec.structs.asdict(self.rules), **settings}, Rules, strict=False)

    def _topics(self, queue: QueueName, options: list[str]) -> None:
        titles = dict(option.split("=") for option in options if "=" in option)
        asked = Dispositions(titles, required="required" in options)
        self.queues[queue] = msgspec.structs.replace(self.queues[queue], dispositions=asked)

    def _operator(self, name: str, options: dict[str, str]) -> None:
        skills = {Skill(skill): level for skill, level in _levels(options.get("skills", ""))}
        queues = options["queues"].split(",") if "queues" in options else self.queues
        ranks = {QueueName(queue): rank for queue, rank in _levels(options.get("ranks", ""))}
        operator = Operator(AgentId(name), name, skills, tuple(map(QueueName, queues)), ranks=ranks)
        record = msgspec.convert(options.get("record"), RecordPolicy | None)  # type: ignore[call-overload]
        role = "supervisor" if options.get("role") == "supervisor" else "operator"
        supervises = tuple(QueueName(name) for name in options.get("supervises", "").split(",") if name)
        self.operators[operator.extension] = replace(operator, record=record, role=role, supervises=supervises)

    def _customer(self, number: str, options: dict[str, str]) -> None:
        agent = AgentId(options["agent"]) if "agent" in options else None
        self.customers[number] = Customer(number, float(options.get("priority", 0)), agent=agent)

    def _trunk(self, name: str, options: dict[str, str]) -> None:
        settings = {SETTINGS.get(option, option): float(value) for option, value in options.items()}
        settings["priority"] = settings.pop("priority_s", 1.0)
        fields = {**settings, "priority": int(settings["priority"]), "channels": int(settings.get("channels", 30))}
        self.trunks[TrunkName(name)] = msgspec.convert({"name": name, "title": name, **fields}, Trunk)

    def _step(self, name: str, text: str) -> None:
        """TOML's inline table, as in the flows' own files."""
        flow, _, step = name.rpartition(".")
        steps = self.flows.setdefault(FlowName(flow or "main"), {})
        steps[StepName(step)] = msgspec.convert(msgspec.toml.decode(f"step = {text}".encode())["step"], Step)

    def _plan(self) -> Plan:
        flows = {name: Flow(name, next(iter(steps)), steps) for name, steps in self.flows.items()}
        if self.start is not None:
            flows[MAIN] = replace(flows[MAIN], start=self.start)
        return Plan(
            node=NODE,
            lines={LINE: self._line(MAIN)},
            calendars={each.name: each for each in (ALWAYS, NEVER)},
            queues=self.queues,
            operators=self.operators,
            customers=self.customers,
            flows=flows,
            rules=replace(self.rules, language_skills=self.languages),
            trunks=self.trunks,
            outbound=Outbound(record="never"),
            callbacks=self.callbacks,
            lookups=self.lookups,
            blocked=tuple(self.blocked),
            hash=PlanHash("plan"),
        )

    def _line(self, flow: FlowName) -> Line:
        """Who says what becomes of calls while it is closed has a line that is."""
        closed = {"calendar": NEVER.name} if "closed" in self.line else {}
        settings = {"number": LINE, "name": "line", "flow": flow, "language": "en", **closed, **self.line}
        return msgspec.convert(settings, Line)

    # --- what happens ---------------------------------------------------------------------------------------------

    def _events(self, words: list[str]) -> list[AnyEvent]:
        who, what, *rest = words
        if who == "program":
            agent, _call, number, _as, name = rest
            return [CallCustomer(_contact(name), AgentId(agent), number, at=self.now)]
        if who == "supervisor" and what in MEASURED:
            return [self._of_supervisor(what, rest)]
        if who == "supervisor":
            code, _of, name = rest
            return [GiveDisposition(contact=_contact(name), codes=(code,), at=self.now)]
        leg, agent = LegId(who), AgentId(who)
        if agent in self.operators:
            return self._of_operator(agent, what, rest)
        if who in self.trunks:
            usable = {"works": True, "fails": False}[what]
            return [TrunkChanged(NODE, TrunkName(who), usable, "" if usable else "no answer", at=self.now)]
        if "." in who:
            if what == "presses":
                return [KeyPressed(LegId(f"{NODE}-{who}"), key, at=self.now) for key in rest[0]]  # type: ignore[arg-type]
            if what == "refers-to":
                phone = LegId(f"{NODE}-{who}")
                return [TransferRequested(phone, rest[0], at=self.now), LegUnseated(phone, at=self.now)]
            return [self._of_phone(LegId(f"{NODE}-{who}"), what, who.partition(".")[0])]
        match what:
            case "calls":
                ani = rest[1] if rest[:1] == ["from"] else who
                trunk = TrunkName(rest[1]) if rest[:1] == ["by"] else None
                return [ContactArrived(_contact(who), leg, NODE, LINE, ani, self.now, trunk, at=self.now)]
            case "is-supervised-by":
                mode: SupervisionMode = rest[1].replace("-", "_")  # type: ignore[assignment]
                return [SuperviseContact(_contact(who), AgentId(rest[0]), mode, at=self.now)]
            case "recording":
                return [SteerRecording(_contact(who), rest[0], at=self.now)]  # type: ignore[arg-type]
            case "presses":
                return [KeyPressed(leg, key, at=self.now) for key in rest[0]]  # type: ignore[arg-type]
            case "has-heard":
                return [PlayFinished(leg, self._playing(who), at=self.now)]
            case "has-said":
                recording = RecordingName(f"{NODE}-{who}-{rest[0]}")
                seconds = float(rest[1].removesuffix("s"))
                return [VoicemailRecorded(_contact(who), leg, recording, "file", seconds, at=self.now)]
            case "is-told":
                values = dict(each.split("=") for each in rest[2:])
                inquiry = InquiryId(f"{NODE}-{who}.{rest[0]}")
                return [InquiryAnswered(_contact(who), inquiry, "lookup", rest[1], values, at=self.now)]
            case "goes-into-the-dialplan":
                return [LegAway(leg, at=self.now)]
            case "is-moved-to":
                return [MoveContact(_contact(who), QueueName(rest[0]), rest[2], at=self.now)]
            case "is-raised-by":
                return [SetPriority(_contact(who), float(rest[0].removesuffix("s")), rest[2], at=self.now)]
            case "hangs-up":
                return [LegEnded(leg, at=self.now)]
            case "is-held" | "is-taken-back":
                return [HoldCustomer(_contact(who), what == "is-held", at=self.now)]
            case "consults":
                return [BeginConsult(_contact(who), rest[0], at=self.now)]
            case "complete" | "cancel" | "join" | "apart":
                return [SteerConsult(_contact(who), what, at=self.now)]
            case "is-handed-to":
                return [TransferContact(_contact(who), rest[0], at=self.now)]
        raise ScriptError("nothing that can happen to a caller")

    def _of_operator(self, agent: AgentId, what: str, reason: list[str]) -> list[AnyEvent]:
        if what == "dials" and reason[0].startswith("*"):
            code = LegId(f"{agent}'s phone")
            return [CodeDialled(agent, code, NODE, reason[0], at=self.now), LegEnded(code, at=self.now)]
        if what == "calls":
            colleague, _as, name = reason
            return [InternalDialled(_contact(name), LegId(name), NODE, agent, colleague, self.now, at=self.now)]
        if what == "dials":
            number, _as, name = reason
            return [OutboundDialled(_contact(name), LegId(name), NODE, agent, number, self.now, at=self.now)]
        if what == "unregisters":
            self.phones.discard(agent)
            return [PhoneChanged(agent, reachable=False, in_use=False, at=self.now)]
        if what == "registers":
            self.phones.add(agent)
            return [PhoneChanged(agent, reachable=True, in_use=False, at=self.now)]
        events: list[AnyEvent] = [] if agent in self.phones else self._of_operator(agent, "registers", [])
        state = AgentState(what.replace("-", "_")).value
        wish = SetAgentState(agent, state, " ".join(reason), at=self.now)  # type: ignore[arg-type]
        return [*events, wish]

    def _of_supervisor(self, what: str, rest: list[str]) -> AnyEvent:
        """Measures are m1, m2 …; `until=60s` from now."""
        if what == "lifts":
            return LiftMeasure(MeasureId(rest[0]), "boss", at=self.now)
        kind = MEASURED[what]
        self.measures += 1
        fields: dict[str, object] = {"kind": kind, "id": f"m{self.measures}", "by": "boss", "since": self.now}
        for word in rest:
            name, equals, value = word.partition("=")
            if name == "until":
                fields["until"] = self.now + float(value.removesuffix("s"))
            elif equals:
                fields[name] = value
            elif kind == "announcement":
                fields["prompts"] = [word]
            elif kind == "block":
                fields["number"] = word
        return TakeMeasure(msgspec.convert(fields, Measure), at=self.now)

    def _of_phone(self, leg: LegId, what: str, who: str) -> AnyEvent:
        if what == "has-heard":
            offer = self._router().floor.contacts[_contact(who)].offer
            return PlayFinished(leg, offer.whisper if offer else self._playing(who), at=self.now)
        if what == "is-dialled":
            return LegDialled(leg, at=self.now)
        if what == "rings":
            return LegRinging(leg, at=self.now)
        if what == "answers":
            return LegAnswered(leg, at=self.now)
        if what in {"holds", "unholds"}:
            return (LegHeld if what == "holds" else LegUnheld)(leg, at=self.now)
        cause, sip_status = CAUSES[what]
        return LegEnded(leg, cause, sip_status, at=self.now)

    def _playing(self, who: str):  # type: ignore[no-untyped-def]
        contact: Contact = self._router().floor.contacts[_contact(who)]
        said = (
            contact.telling,
            contact.announcing,
            contact.place and contact.place.play,
            contact.flow and contact.flow.play,
        )
        play = next((play for play in said if play), None)
        if play is None:
            raise ScriptError("nothing is being said")
        return play

    def _connect(self, legs: list[str]) -> Iterator[str]:
        """`c1`, `c1.1:up` live, `c2:down` unanswered, `d1` dialled; `c1.1:answered@12`, `c1:ended@14`: CEL tells of others."""
        living, gone = [], []
        for text in legs:
            name, _, state = text.partition(":")
            leg = LegId(f"{NODE}-{name}" if "." in name else name)
            if "@" in state:
                times = dict(part.split("@") for part in state.split(","))
                answered, ended = times.get("answered"), times.get("ended")
                gone.append(LegHistory(leg, answered and float(answered), ended and float(ended)))  # type: ignore[arg-type]
            if "ended" not in state:
                first, second = ROLES.get(name[0], ("caller", "agent"))
                role = second if "." in name else first
                up = (role == first and state != "down") or state.startswith(("up", "answered"))
                ringing = state == "ringing"
                living.append(ListedLeg(leg, role, up, ringing, line=LINE, ani=name, arrived_at=self.now))  # type: ignore[arg-type]
        connected = NodeConnected(NODE, self.started_at, at=self.now)
        listed = NodeListed(NODE, self.now, True, tuple(living), tuple(gone), (), self._listed_trunks(), at=self.now)
        yield from self._tell(connected)
        yield from self._tell(listed)

    def _listed_trunks(self) -> tuple[ListedTrunk, ...]:
        return tuple(ListedTrunk(trunk, usable=True) for trunk in self.trunks)

    # --- steps ----------------------------------------------------------------------------------------------------

    def _router(self) -> Router:
        if self.router is None:
            self.router = Router()
            begin = [ConfigReplaced(self._plan(), at=self.now), NodeConnected(NODE, self.started_at, at=self.now)]
            self.router.step(begin, self.now)
            listed = NodeListed(NODE, self.now, True, trunks=self._listed_trunks(), at=self.now)
            self.router.step([listed], self.now)
        return self.router

    def _tell(self, *events: AnyEvent) -> Iterator[str]:
        outcome: Outcome = self._router().step(events, self.now)
        self.journalled = msgspec.json.encode(self._router().state())
        self.records += outcome.records
        for each in (*outcome.records, *outcome.commands):
            if not isinstance(each, AgentSaved) or self._new(each.agent):
                yield from said(each)
        yield from (f"refused: {answer.reason}" for answer in self._router().answers if isinstance(answer, Refused))

    def _new(self, agent: Agent) -> bool:
        """His state has changed, not only what is noted of him."""
        before, now = self.states.get(agent.id), (agent.state, agent.reason)
        self.states[agent.id] = now
        return now != before

    def _wait(self, seconds: float) -> Iterator[str]:
        until = self.now + seconds
        while self.alive and (deadline := self._router().deadline()) is not None and deadline <= until:
            at, self.now = self.now, deadline
            decided = list(self._tell())
            if decided and deadline != at:
                yield f"at {deadline:g}s"
            yield from decided
        self.now = until
        if self.alive:
            yield from self._tell()

    def _restore(self) -> None:
        self.alive, self.router = True, Router()
        self.router.restore(msgspec.json.decode(self.journalled, type=State), self.now)


def _contact(who: str) -> ContactId:
    return ContactId(f"{NODE}-{who}")


def _levels(text: str) -> list[tuple[str, int]]:
    """`en:5,ru` -> en at 5, ru at 1."""
    return [(skill, int(level or 1)) for skill, _, level in (part.partition(":") for part in text.split(",") if part)]


def decisions(script: str) -> list[str]:
    """Its lines after `>`, for a test that wants to know that there are any."""
    return re.findall(r"^\s*> (.+)$", script, re.MULTILINE)
