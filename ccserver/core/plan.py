"""The configuration as the core sees it: frozen, cross-checked by `ccserver.config.load`, stored in the journal by its hash.

A contact keeps the plan it started with, so a reload never moves it. What a flow is made of is in `steps`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from msgspec import Struct

from ccserver.core.calendar import Calendar
from ccserver.core.ids import (
    AgentId,
    CalendarName,
    FlowName,
    Language,
    LineNumber,
    LookupName,
    NodeName,
    PlanHash,
    PromptName,
    QueueName,
    Skill,
    TrunkName,
)
from ccserver.core.lookup import Lookup
from ccserver.core.numbers import NumberFormat, Region
from ccserver.core.steps import CallFirst, Flow, SkillNeed, Stage

Pick = Literal["longest_idle", "most_skilled", "most_idle_today", "fewest_contacts"]
TODAY: frozenset[Pick] = frozenset({"most_idle_today", "fewest_contacts"})
"""What each operator did today must be counted for them."""
Speaking = Literal["any", "preferred", "required"]
Standing = Literal["position", "wait"]
"""What who waits is told: his number in the queue; a bound of his wait."""


Pickup = Literal["at_once", "when_needed", "operator"]
"""When the caller is answered, from which the line's owner pays: as he comes; at the first step that needs it (`menu`,
`collect`, `voicemail`, `answer`), or by an operator; by an operator, or at a `voicemail` or `answer` step, alone."""
Treatment = str
"""What becomes of a call that is not served: one of `REFUSALS`, or the flow that it is sent to."""
REFUSALS: Mapping[str, int] = MappingProxyType({"busy": 17, "reject": 16})
"""How a call is refused unanswered, with the Q.850 cause by which Asterisk tells so: 486, 603.

(21, call rejected, would be 403, which some networks take for a fault of the trunk.)
"""
RecordPolicy = Literal["always", "on_demand", "never"]
"""Of a talk: all of it, what somebody asks for, nothing."""


class Line(Struct, frozen=True):
    """A number customers dial."""

    number: LineNumber
    name: str
    flow: FlowName
    language: Language
    timezone: str = "Europe/Moscow"
    day_starts_at: str = "00:00"
    """Where the line's reporting day begins, HH:MM in its zone: a 10:00-05:00 line has no midnight."""
    priority_s: float = 0.0
    """Seconds of credit on the time of queue entry."""
    caller_id: str = ""
    """What calls that leave for this line show, E.164; empty: the line's own number."""
    record: RecordPolicy | None = None
    keep_days: int | None = None
    """How long recordings are kept (0: for ever); None: as long as others of their kind."""
    survey: FlowName | None = None
    """Of who was served on it, unless his queue has one of its own."""
    brand: str = ""
    """Whose number it is, where several lines are of one brand; empty: its name tells."""
    source: str = ""
    """What the number stands for, for call tracking: the site, banner or mailing on which it is shown."""
    answer: Pickup = "at_once"
    calendar: CalendarName | None = None
    """When the line is open at all; None: always, its flow may know hours of its own."""
    closed: Treatment | None = None
    """What becomes of calls while it is closed."""
    whisper: tuple[str, ...] = ()
    """What the operator alone hears when he has picked up, before he and the caller are joined; the queue's comes after it."""

    @property
    def flows(self) -> tuple[FlowName, ...]:
        """In which its callers may begin."""
        shut = () if self.closed is None or self.closed in REFUSALS else (FlowName(self.closed),)
        return (self.flow, *shut)


class Customer(Struct, frozen=True):
    """What the house knows of somebody who calls."""

    name: str
    priority_s: float = 0.0
    """Seconds of credit on the time of queue entry."""
    language: Language | None = None
    """In which his flow begins; None: in that of the line."""
    agent: AgentId | None = None
    """His own: asked first, for as long as the queue waits for somebody."""


class Blocked(Struct, frozen=True):
    """Numbers that are not let in; of several that fit a caller the longest counts."""

    numbers: tuple[str, ...]
    """Beginnings of E.164 numbers, or `anonymous`."""
    lines: tuple[LineNumber, ...] = ()
    """On which; empty: on all."""
    treatment: Treatment = "reject"
    reason: str = ""


class Trunk(Struct, frozen=True):
    """A way to the public network. What Asterisk must know of it besides (addresses, passwords) is not here."""

    name: TrunkName
    title: str
    priority: int = 1
    """Calls that leave try the lowest first."""
    channels: int = 30
    """Calls at once, in both directions."""
    outbound: bool = True
    """Calls may leave by it."""
    lines: tuple[LineNumber, ...] = ()
    """Whose numbers it lets us show; empty: of all."""
    number_format: NumberFormat = "e164"
    """How it wants the numbers of calls that leave."""
    reach_timeout_s: float = 8.0
    """Without any sign of life of the called side by then, the next trunk is tried."""


class Tolls(Struct, frozen=True):
    """Which calls may leave. Numbers are E.164 prefixes; of several that fit the longest counts, and `deny` wins a tie."""

    allow: tuple[str, ...] = ("+73", "+74", "+78", "+79")
    """Russia's cities, toll-free numbers and mobiles; +76 and +77 are Kazakhstan."""
    deny: tuple[str, ...] = ("+7803", "+7809", "+7840", "+7850", "+7940", "+7954")
    """Televoting, premium rate, Abkhazia, South Ossetia, satellites: Russian by their beginning, not by their price."""
    calls_per_hour: int = 1000
    """In all."""
    operator_calls_per_hour: int = 60
    """Of one operator."""


class Dispositions(Struct, frozen=True):
    """What an operator is asked after a talk: its topics, and what was ordered."""

    codes: Mapping[str, str] = {}
    """Title by code. A code stands below the one that it begins with: `12` below `1`. Empty: nothing is asked."""
    required: bool = False
    """His wrap-up lasts until it is given."""
    currency: str = "RUB"
    """Of order values, ISO 4217."""


class Outbound(Struct, frozen=True):
    """Calls that operators make."""

    ring_timeout_s: float = 60.0
    """A customer's phone that rang this long is not answered."""
    wrap_up_s: float = 15.0
    """After a talk with a customer whom the operator called."""
    record: RecordPolicy | bool | None = None
    dispositions: Dispositions = Dispositions()


class Recordings(Struct, frozen=True):
    """What is recorded of talks, besides each line's, queue's and operator's own `record` (see `core.recording`)."""

    announcement: PromptName | None = None
    """Said to who is about to wait for a talk that may be recorded, once in a call."""
    pause_max_s: float = 300.0
    """A pause that nobody ends is over then."""
    talk_days: int = 0
    """How long talks are kept, and voicemails; 0: for ever."""
    voicemail_days: int = 0


class Callbacks(Struct, frozen=True):
    """Customers who are called back."""

    tries: int = 3
    """In vain, then it is given up."""
    busy_retry_s: float = 300.0
    """After a busy customer, and where it was our side that failed."""
    no_answer_retry_s: float = 1800.0
    """After a customer who did not answer, or declined."""
    expire_after_s: float = 86400.0
    """After the time at which it was due, or wished."""
    calendar: CalendarName | None = None
    """When operators call back; None: at any time."""
    customer_calendar: CalendarName | None = None
    """When customers may be called: its hours are read in the customer's zone; None: at any time."""
    owed_max: int = 1000
    """At once; whoever asks then is refused."""


class Queue(Struct, frozen=True):
    """Contacts waiting for the same kind of agent, with its target and rules."""

    name: QueueName
    title: str
    skills: tuple[SkillNeed, ...] = ()
    pick: Pick = "longest_idle"
    priority_s: float = 0.0
    music: str = "default"
    target_s: float = 20.0
    """Service-level target: answered within this many seconds of queue entry."""
    short_abandon_s: float = 5.0
    reach_timeout_s: float = 5.0
    """A phone that has not even begun to ring by then is unreachable."""
    ring_timeout_s: float = 20.0
    """A phone that rang this long in silence: RONA."""
    wrap_up_s: float = 15.0
    record: RecordPolicy | bool | None = None
    """None: as the line says, and it is recorded where that says nothing. True and false are old plans' words."""
    keep_days: int | None = None
    """How long recordings of contacts that it was the first queue of are kept (0: for ever); None: as the line says."""
    tell_every_s: float = 0.0
    """How often who waits is told how he stands; 0: never."""
    tell: tuple[Standing, ...] = ("position", "wait")
    messages: tuple[str, ...] = ()
    """One after the other, each time he is told."""
    dispositions: Dispositions = Dispositions()
    relax: tuple[Stage, ...] = ()
    """In the order of their times."""
    language: Speaking = "any"
    """Whether an operator must speak the contact's language; of one that stands in no `Rules.language_skills` nobody asks."""
    language_level: int = 1
    language_wait_s: float = 30.0
    """When it is preferred: how long it waits for somebody who does."""
    callback_first: CallFirst = "agent"
    """Who is called first when one of its customers is called back."""
    callback_missed: bool = False
    """Who gave up waiting is called back, unless he calls again."""
    callback_missed_after_s: float = 60.0
    """Leaves him time to call again."""
    callback_missed_wait_s: float = 15.0
    """Who waited less is not called back."""
    survey: FlowName | None = None
    """The flow in which who talked with an agent is asked how it was, when the agent has hung up."""
    sticky_days: int = 0
    """Who talked with the customer so lately is asked first; 0: nobody is remembered."""
    sticky_wait_s: float = 30.0
    """How long he, or the customer's own agent, is waited for while he is at work."""
    whisper: tuple[str, ...] = ()
    """As of a line."""


class Operator(Struct, frozen=True):
    """What the configuration says of an agent; his state is `core.agent.Agent`."""

    extension: AgentId
    name: str
    skills: Mapping[Skill, int]
    queues: tuple[QueueName, ...]
    language: Language = Language("ru")
    """In which feature codes are confirmed to him."""
    line: LineNumber | None = None
    """For which line he calls; None: the first."""
    role: Literal["operator", "supervisor"] = "operator"
    """A supervisor may listen to everybody's talks."""
    supervises: tuple[QueueName, ...] = ()
    """To the talks of these queues."""
    may_dial: tuple[str, ...] = ()
    """Prefixes that he may dial of those that the tolls allow; empty: all of those."""
    ranks: Mapping[QueueName, int] = {}
    """How far a queue stands behind his main work, which is 1, as is a queue that is not here."""
    timezone: str = "Europe/Moscow"
    """In which his days begin."""
    record: RecordPolicy | None = None
    auto_answer: bool = False
    """His phone is asked to pick up by itself."""


class Rules(Struct, frozen=True):
    """Rules of the house that belong to no queue."""

    refused_pause_s: float = 10.0
    """After a refused or busy offer the agent is left in peace this long."""
    rona_limit: int = 1
    """After so many offers in a row that an operator let ring in silence he is not ready."""
    rona_pause_s: float = 10.0
    """After each before that he is left in peace this long."""
    rona_return_s: float = 0.0
    """He is ready again by himself after this long; 0: somebody must see to it."""
    unreachable_retry_s: float = 30.0
    """A phone that did not answer an INVITE is tried again after this long, or as soon as it registers anew."""
    transfer_wait_s: float = 20.0
    """So long a customer who is handed to one operator waits for him alone; then whoever of the queue is free may take him."""
    reconcile_every_s: float = 30.0
    offers_at_once: int = 16
    """So many of a node are being made at once, from the choice of the agent until his phone is called; the next one waits."""
    not_ready_reasons: Mapping[str, str] = {}
    """Reason by the digit dialled after *12."""
    not_ready_reason_required: bool = False
    """An operator who wants a break must say why."""
    wrap_up_max_s: float = 300.0
    """A wrap-up that is extended, or lasts until a disposition is given, is never longer than this."""
    wrap_up_extension_s: float = 60.0
    """By which a feature code extends it."""
    phone_shows: str = "{brand} · {queue}"
    """What an operator's phone shows of a contact besides the caller's number: of `{brand}` (or the line's name), `{line}`,
    `{queue}` and `{source}`; empty: the caller's own name."""
    region: Region = "RU"
    """The country whose numbers may come without a country code."""
    rank_s: float = 60.0
    """A contact of a queue of rank 2 is to an operator as if it had come so much later, of rank 3 twice as much."""
    day_starts_at: str = "00:00"
    """When an operator's day begins, HH:MM in his own zone."""
    language_skills: Mapping[Language, Skill] = {}
    """Which skill it is to speak a language."""


class Plan(Struct, frozen=True):
    """Everything the core obeys."""

    node: NodeName
    lines: Mapping[LineNumber, Line]
    queues: Mapping[QueueName, Queue]
    operators: Mapping[AgentId, Operator]
    flows: Mapping[FlowName, Flow]
    rules: Rules = Rules()
    calendars: Mapping[CalendarName, Calendar] = {}
    trunks: Mapping[TrunkName, Trunk] = {}
    tolls: Tolls = Tolls()
    outbound: Outbound = Outbound()
    recordings: Recordings = Recordings()
    callbacks: Callbacks = Callbacks()
    customers: Mapping[str, Customer] = {}
    """By number, E.164."""
    customer_prefixes: Mapping[str, Customer] = {}
    """By the beginning of a number, E.164; the longest that fits counts, and a number of its own before it."""
    lookups: Mapping[LookupName, Lookup] = {}
    functions: Mapping[str, str] = {}
    """The text of each file of functions that flows ask, by its name."""
    blocked: tuple[Blocked, ...] = ()
    hash: PlanHash = PlanHash("")
    """Of all the rest; set by `ccserver.config.load`."""

    def customer(self, ani: str) -> Customer | None:
        """Who calls, if he is known."""
        if ani in self.customers:
            return self.customers[ani]
        # From the longest beginning on: as many questions as a number has digits, however many are known.
        beginnings = (ani[:length] for length in range(len(ani), 1, -1)) if self.customer_prefixes else ()
        return next((self.customer_prefixes[each] for each in beginnings if each in self.customer_prefixes), None)
