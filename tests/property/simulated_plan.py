"""The contact centre of the property tests: two lines, two queues, three operators, three trunks; the same after a reload."""

from msgspec.structs import replace

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
    QueueName,
    Skill,
    StepName,
    TrunkName,
)
from ccserver.core.lookup import Lookup
from ccserver.core.plan import (
    Callbacks,
    Customer,
    Dispositions,
    Line,
    Operator,
    Outbound,
    Plan,
    Queue,
    Rules,
    Tolls,
    Trunk,
)
from ccserver.core.steps import (
    AskCallback,
    Branch,
    Call,
    Collect,
    Dialplan,
    Enqueue,
    Flow,
    Forward,
    HangUp,
    LookUp,
    Menu,
    Python,
    Rate,
    Return,
    Say,
    Set,
    SkillNeed,
    Stage,
    Step,
    Voicemail,
)

NODE = NodeName("n1")
ORDERS, SERVICE = QueueName("orders"), QueueName("service")
MENU_LINE, QUEUE_LINE, DEAD_LINE = LineNumber("88007707999"), LineNumber("88007004666"), LineNumber("88000000000")
"""With a menu; straight into a queue; not configured."""
THRIFTY_LINE, FREE_LINE, SHUT_LINE = LineNumber("88001000001"), LineNumber("88001000002"), LineNumber("88001000003")
"""As the first, answered when a menu needs it; as the second, answered by the operator alone; always closed."""
AGENTS = tuple(AgentId(extension) for extension in ("1001", "1002", "1003"))


CUSTOMER, MOBILE, PREMIUM, EMERGENCY = "84951234567", "89161234567", "88091234567", "112"
"""Everybody may call this; not operator 1003; nobody; whoever has a phone."""
TOPICS = {"1": "Goods", "12": "Availability", "2": "Service"}
ANIS = ("+7900", "+74951234567", "+79161234567", "+79161234568")
"""Of callers; the first cannot be called back."""
TALKED = {ANIS[1]: (AGENTS[0], 0.0), ANIS[2]: (AGENTS[2], 0.0)}
"""Who talked with whom before the story begins."""
TRUNKS = (TrunkName("first"), TrunkName("second"), TrunkName("inbound"))


NEVER = Calendar(CalendarName("never"), "Europe/Moscow", ((),) * 7)

SHOP = Lookup(LookupName("shop"), "https://shop/{ani}", timeout_s=4.0)


def _need(skill: str, level: int) -> SkillNeed:
    return SkillNeed(Skill(skill), level)


def _operator(extension: AgentId, queues: tuple[QueueName, ...], **skills: int) -> Operator:
    levels = {Skill(name): level for name, level in skills.items()}
    may_dial = ("+7495",) if extension == AGENTS[2] else ()
    role = "supervisor" if extension == AGENTS[2] else "operator"
    supervises = (ORDERS,) if extension == AGENTS[0] else ()
    name = f"Operator {extension}"
    return Operator(extension, name, levels, queues, may_dial=may_dial, role=role, supervises=supervises)


def _flow(name: str, start: str, **steps: Step) -> Flow:
    return Flow(FlowName(name), StepName(start), {StepName(step): what for step, what in steps.items()})


_S = StepName
MENU_FLOW = _flow(
    "menu",
    "hello",
    hello=Say(("hello",), next=_S("choose")),
    choose=Menu(
        ("choices",),
        {
            "1": _S("orders"),
            "2": _S("service"),
            "3": _S("hours"),
            "4": _S("number"),
            "5": _S("message"),
            "6": _S("offer"),
            "7": _S("first"),
            "8": _S("look"),
            "0": _S("outside"),
            "#": _S("lend"),
            "*": _S("english"),
            "9": _S("busy"),
        },
        otherwise=_S("bye"),
        retries=1,
    ),
    hours=Say(("hours",), next=_S("choose"), barge_in=False),
    english=Set(next=_S("which"), variables={"tongue": "en"}, language=Language("en")),
    which=Branch("language", {"en": _S("choose")}, otherwise=_S("bye")),
    number=Collect(("number",), "order", next=_S("important"), otherwise=_S("bye"), max_digits=3, retries=1),
    orders=Enqueue(
        ORDERS,
        announce=("wait",),
        max_wait_s=12.0,
        otherwise=_S("offer"),
        keys={"9": _S("message"), "2": _S("service"), "3": _S("offer")},
        max_waiting=2,
        full=_S("anybody"),
        nobody=_S("message"),
        nobody_after_s=4.0,
    ),
    outside=Forward("+79161234567", otherwise=_S("mine"), ring_s=8.0),
    mine=Enqueue(
        ORDERS, agent=AGENTS[0], max_wait_s=9.0, otherwise=_S("message"), nobody=_S("bye"), nobody_after_s=0.0
    ),
    lend=Dialplan("own", next=_S("choose"), failed=_S("busy"), send=("ani",), take=("told",)),
    look=LookUp(SHOP.name, found=_S("important"), not_found=_S("choose"), failed=_S("ask"), music="calm"),
    ask=Python("own.way", next=_S("choose"), failed=_S("message"), ways={"found": _S("service")}, take=("told",)),
    offer=AskCallback(
        ORDERS, ("offer",), ("which",), next=_S("bye"), refused=_S("hours"), otherwise=_S("anybody"), retries=1
    ),
    first=AskCallback(
        SERVICE, ("offer",), ("which",), next=_S("bye"), refused=_S("bye"), otherwise=_S("service"), first="customer"
    ),
    anybody=Enqueue(SERVICE, max_wait_s=20.0, otherwise=_S("message")),
    service=Enqueue(
        SERVICE,
        skills=(_need("service", 2),),
        max_wait_s=15.0,
        otherwise=_S("bye"),
        keys={"1": _S("choose"), "6": _S("outside")},
        max_expected_s=150.0,
        too_long=_S("message"),
    ),
    important=Enqueue(ORDERS, priority_s=60.0),
    message=Voicemail(("message",), next=_S("bye")),
    bye=HangUp(("bye",)),
    busy=HangUp(("busy",), "busy"),
)
QUEUE_FLOW = _flow("queue", "service", service=Enqueue(SERVICE, announce=("wait",)))

SURVEY_FLOW = _flow(
    "survey",
    "ask",
    ask=Call(FlowName("marks"), next=_S("why")),
    why=Branch("score", {"5": _S("thanks"), "": _S("thanks")}, otherwise=_S("comment")),
    comment=Voicemail(("tell-us",), next=_S("thanks")),
    thanks=HangUp(("thanks",)),
)
MARKS_FLOW = _flow(
    "marks",
    "rate",
    rate=Rate(("rate",), next=_S("back"), otherwise=_S("back"), retries=1),
    back=Return(),
)

PLAN = Plan(
    node=NODE,
    lines={
        MENU_LINE: Line(MENU_LINE, "Menu", MENU_FLOW.name, Language("ru")),
        QUEUE_LINE: Line(QUEUE_LINE, "Queue", QUEUE_FLOW.name, Language("ru"), survey=SURVEY_FLOW.name),
        THRIFTY_LINE: Line(THRIFTY_LINE, "Thrifty", MENU_FLOW.name, Language("ru"), answer="when_needed"),
        FREE_LINE: Line(FREE_LINE, "Free", QUEUE_FLOW.name, Language("ru"), answer="operator", source="banner"),
        SHUT_LINE: Line(
            SHUT_LINE, "Shut", QUEUE_FLOW.name, Language("ru"), calendar=NEVER.name, closed="busy", answer="at_once"
        ),
    },
    calendars={NEVER.name: NEVER},
    queues={
        ORDERS: Queue(
            ORDERS,
            "Orders",
            (_need("orders", 3),),
            tell_every_s=20.0,
            messages=("patience",),
            pick="fewest_contacts",
            relax=(Stage(3.0, (_need("orders", 1),)), Stage(7.0, (_need("orders", 0),), (SERVICE,))),
            dispositions=Dispositions(TOPICS, required=True),
            callback_missed=True,
            callback_missed_after_s=5.0,
            callback_missed_wait_s=3.0,
            survey=SURVEY_FLOW.name,
            sticky_days=1,
            sticky_wait_s=6.0,
        ),
        SERVICE: Queue(
            SERVICE,
            "Service",
            (_need("service", 1),),
            whisper=("service",),
            pick="most_skilled",
            wrap_up_s=0.0,
            record="on_demand",
            language="preferred",
            language_wait_s=5.0,
            sticky_days=1,
            sticky_wait_s=4.0,
        ),
    },
    operators={
        AGENTS[0]: replace(_operator(AGENTS[0], (ORDERS, SERVICE), orders=5, service=3), ranks={SERVICE: 2}),
        AGENTS[1]: _operator(AGENTS[1], (ORDERS,), orders=2),
        AGENTS[2]: _operator(AGENTS[2], (SERVICE,), service=1, english=1),
    },
    flows={flow.name: flow for flow in (MENU_FLOW, QUEUE_FLOW, SURVEY_FLOW, MARKS_FLOW)},
    rules=Rules(
        not_ready_reasons={"1": "lunch"},
        wrap_up_max_s=25.0,
        wrap_up_extension_s=4.0,
        language_skills={Language("en"): Skill("english")},
        rank_s=6.0,
        offers_at_once=2,
    ),
    trunks={
        TRUNKS[0]: Trunk(TRUNKS[0], "First", channels=1, reach_timeout_s=4.0),
        TRUNKS[1]: Trunk(TRUNKS[1], "Second", priority=2, channels=2, number_format="national"),
        TRUNKS[2]: Trunk(TRUNKS[2], "Inbound", outbound=False),
    },
    tolls=Tolls(calls_per_hour=7, operator_calls_per_hour=4),
    outbound=Outbound(ring_timeout_s=25.0, wrap_up_s=5.0, dispositions=Dispositions(TOPICS)),
    lookups={SHOP.name: SHOP},
    callbacks=Callbacks(tries=2, busy_retry_s=3.0, no_answer_retry_s=5.0, expire_after_s=100.0),
    customers={ANIS[3]: Customer("Known", priority_s=9.0, agent=AGENTS[1])},
    customer_prefixes={"+7495": Customer("Neighbour", language=Language("en"))},
    hash=PlanHash("first"),
)

RELOADED = replace(
    PLAN,
    operators={
        AGENTS[0]: _operator(AGENTS[0], (ORDERS,), orders=1),
        AGENTS[2]: _operator(AGENTS[2], (ORDERS, SERVICE), orders=1, service=9),
    },
    hash=PlanHash("reloaded"),
)
"""One operator has left, one serves less than before, one has learnt."""
