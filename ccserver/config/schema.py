"""What may be written in `ccserver.toml`: the TOML file as types, with the bounds and words of each field. Flows: `flowfile`.

The types say what one field expects; what must fit together (names that refer to each other, ranges, loops) is in
`crosscheck`. A field has the name and default of its counterpart in `core.plan`; durations end in `_s`.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from ccserver.core import plan
from ccserver.core.lookup import FieldKind
from ccserver.core.numbers import NumberFormat
from ccserver.core.plan import Pick, Pickup, Speaking, Standing
from ccserver.core.steps import CallFirst

NAME = r"\A[A-Za-z][A-Za-z0-9_-]{0,39}\Z"
_LANGUAGE = r"\A[a-z]{2,3}(?:_[A-Z]{2})?\Z"

# --- kinds of values -----------------------------------------------------------------------------------------------------

Name = Annotated[
    str, Meta(pattern=NAME, description="a name of at most 40 Latin letters, digits, - or _, beginning with a letter")
]
HumanName = Annotated[
    str,
    Meta(
        pattern=r"\A[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*\Z",
        max_length=80,
        description="a text of at most 80 characters on one line",
    ),
]
Text = Annotated[
    str,
    Meta(
        pattern=r"\A[^\x00-\x1f\x7f]*\Z",
        max_length=80,
        description="a text of at most 80 characters on one line, or none",
    ),
]
Shown = Annotated[
    str,
    Meta(
        pattern=r"\A(?:[^\x00-\x1f\x7f{}]|\{(?:brand|line|queue|source)\})*\Z",
        max_length=80,
        description="a text of at most 80 characters with {brand}, {line}, {queue} or {source}, or none",
    ),
]
Digits = Annotated[str, Meta(pattern=r"\A[0-9]{3,15}\Z", description='3 to 15 digits in quotes, like "88007707999"')]
PublicNumber = Annotated[
    str,
    Meta(
        pattern=r"\A(?:|\+?[0-9]{5,15})\Z",
        description='a public number in quotes, like "88007707999" or "+78007707999"',
    ),
]
KnownNumber = Annotated[
    str,
    Meta(pattern=r"\A\+?[0-9]{3,15}\Z", description='a number in quotes, like "+79161234567" or "89161234567"'),
]
Prefix = Annotated[
    str, Meta(pattern=r"\A\+[1-9][0-9]{0,14}\Z", description='the beginning of an E.164 number in quotes, like "+7495"')
]
BlockedNumber = Annotated[
    str,
    Meta(
        pattern=r"\A(?:anonymous|\+[1-9][0-9]{0,14})\Z",
        description='an E.164 number or the beginning of one, like "+79161234567" or "+7809", or "anonymous"',
    ),
]
RegionCode = Annotated[str, Meta(pattern=r"\A[A-Z]{2}\Z", description='a country by ISO 3166, like "RU"')]
Extension = Annotated[str, Meta(pattern=r"\A[0-9]{3,6}\Z", description='3 to 6 digits in quotes, like "1001"')]
LanguageCode = Annotated[str, Meta(pattern=_LANGUAGE, description='a language of prompts.toml in quotes, like "ru"')]
Prompt = Annotated[
    str, Meta(pattern=r"\A[a-z0-9]+(?:-[a-z0-9]+)*\Z", max_length=100, description="the name of a prompt")
]
RecordRule = Annotated[
    plan.RecordPolicy | bool | None,
    Meta(description='"always", "on_demand" or "never" (true means always, false never)'),
]
Level = Annotated[int, Meta(ge=1, le=10, description="a level from 1 to 10")]
Skills = dict[Name, Level]
Seconds = Annotated[float, Meta(ge=0, le=86400, description="seconds from 0 to 86400")]
Timeout = Annotated[float, Meta(gt=0, le=86400, description="seconds above 0, at most 86400")]
PhoneTimeout = Annotated[float, Meta(gt=0, le=600, description="seconds above 0, at most 600")]
CallCount = Annotated[int, Meta(ge=0, le=1_000_000, description="a whole number from 0 to 1000000")]
Port = Annotated[int, Meta(ge=1, le=65535, description="a port from 1 to 65535")]
PathName = Annotated[str, Meta(min_length=1, max_length=1000, pattern=r"\A[^\x00]+\Z", description="a path in quotes")]
ReasonDigit = Annotated[
    Literal["1", "2", "3", "4", "5", "6", "7", "8", "9"], Meta(description="the digit after *12, from 1 to 9")
]
TopicCode = Annotated[
    str, Meta(pattern=r"\A[0-9]{1,8}\Z", description="a topic's code of 1 to 8 digits, dialled after *14")
]
Currency = Annotated[str, Meta(pattern=r"\A[A-Z]{3}\Z", description='a currency in quotes, like "RUB"')]
Days = Annotated[int, Meta(ge=0, le=36500, description="whole days from 1 to 36500, or 0 for ever")]
PortOrNone = Annotated[int, Meta(ge=0, le=65535, description="a port from 1 to 65535, or 0 for none")]
Net = Annotated[str, Meta(min_length=1, max_length=64, description='a network in quotes, like "192.168.0.0/16"')]
Encryption = Annotated[Literal["off", "allowed", "required"], Meta(description='"off", "allowed" or "required"')]
TrunkName = Annotated[
    str,
    Meta(
        pattern=r"\A[a-z][a-z0-9-]{0,29}\Z",
        description="a name of at most 30 small Latin letters, digits or -, beginning with a letter",
    ),
]
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
Host = Annotated[
    str,
    Meta(
        pattern=rf"\A(?:{_LABEL}(?:\.{_LABEL})*|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)\Z",
        max_length=253,
        description='a host in quotes, like "sip.example.ru" or "192.0.2.10"',
    ),
]
ProxyHost = Annotated[
    str,
    Meta(
        pattern=rf"\A(?:|{_LABEL}(?:\.{_LABEL})*(?::[0-9]{{1,5}})?)\Z",
        max_length=260,
        description='a host, if need be with its port, like "proxy.example.ru:5070"',
    ),
]
Origin = Annotated[
    str,
    Meta(
        pattern=rf"\Ahttps?://{_LABEL}(?:\.{_LABEL})*(?::[0-9]{{1,5}})?\Z",
        max_length=260,
        description='a site in quotes, like "https://www.example.ru"',
    ),
]
Domain = Annotated[
    str,
    Meta(
        pattern=rf"\A(?:|{_LABEL}(?:\.{_LABEL})*)\Z",
        max_length=253,
        description='a domain in quotes, like "example.ru"',
    ),
]
SipUser = Annotated[
    str,
    Meta(
        pattern=r"\A[A-Za-z0-9_.!~*'()&=+$,?/-]{0,64}\Z",
        description='a SIP user in quotes, like "74951234567"',
    ),
]
Realm = Annotated[
    str,
    Meta(pattern=r"\A[\x20-\x7e]{0,100}\Z", description="a text of at most 100 Latin letters, digits and signs"),
]
Password = Annotated[
    str,
    Meta(
        pattern=r"\A(?:|[^\x00-\x20\x7f](?:[^\x00-\x1f\x7f]*[^\x00-\x20\x7f])?)\Z",
        max_length=128,
        description="a password in quotes, at most 128 characters, no blank at either end",
        extra_json_schema={"writeOnly": True},
    ),
]
TrunkPath = Annotated[str, Meta(max_length=1000, pattern=r"\A[^\x00]*\Z", description="a path in quotes")]
TimeOfDay = Annotated[
    str, Meta(pattern=r"\A(?:[01][0-9]|2[0-3]):[0-5][0-9]\Z", description='a time of day in quotes, like "05:00"')
]

Variable = Annotated[
    str,
    Meta(
        pattern=r"\A[a-z][a-z0-9_]{0,39}\Z",
        description="a variable: at most 40 small Latin letters, digits or _, beginning with a letter",
    ),
]
Url = Annotated[
    str,
    Meta(
        pattern=r"\Ahttps?://[!-~]+\Z",
        max_length=2000,
        description='an address in quotes, like "https://shop.example.ru/orders/{order}"',
    ),
]
HeaderName = Annotated[
    str, Meta(pattern=r"\A[A-Za-z0-9-]{1,60}\Z", description='the name of a header, like "Authorization"')
]
HeaderValue = Annotated[
    str,
    Meta(pattern=r"\A[ -~]*\Z", max_length=1000, description="a text of Latin letters, digits and signs on one line"),
]
EnvironmentVariable = Annotated[
    str,
    Meta(
        pattern=r"\A(?:|[A-Za-z_][A-Za-z0-9_]*)\Z",
        max_length=100,
        description='a variable of the environment, like "SHOP_TOKEN"',
    ),
]
AnswerPath = Annotated[
    str,
    Meta(
        pattern=r"\A(?:|[^.\x00-\x1f\x7f]+(?:\.[^.\x00-\x1f\x7f]+)*)\Z",
        max_length=200,
        description='a place in an answer, like "order.items.0.title"',
    ),
]

_WEEKDAY = "(?:mon|tue|wed|thu|fri|sat|sun)"
WeekdayRange = Annotated[
    str,
    Meta(
        pattern=rf"\A{_WEEKDAY}(?:-{_WEEKDAY})?\Z",
        description="mon, tue, wed, thu, fri, sat, sun, or a row like mon-fri",
    ),
]
_DATE = "(?:[0-9]{4}-)?[0-9]{2}-[0-9]{2}"
DayRange = Annotated[
    str,
    Meta(
        pattern=rf"\A{_DATE}(?:\.\.{_DATE})?\Z",
        description='a date like "2026-12-31", a day of every year like "01-01", or a row of them like "01-01..01-08"',
    ),
]
_SPAN = "(?:[01][0-9]|2[0-3]):[0-5][0-9]-(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00)"
Hours = Annotated[
    str,
    Meta(
        pattern=rf"\A(?:closed|{_SPAN}(?:, *{_SPAN})*)\Z",
        description='"closed", or hours like "10:00-05:00" or "09:00-13:00, 14:00-18:00"',
    ),
]

# --- ccserver.toml -------------------------------------------------------------------------------------------------------


class _Table(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class Node(_Table, frozen=True):
    """`[node]`: this Asterisk among others."""

    name: Annotated[
        str,
        Meta(
            pattern=r"\A[a-z][a-z0-9]{0,19}\Z",
            description="at most 20 small Latin letters and digits, beginning with a letter",
        ),
    ]
    """Begins every contact's id, so it must never change while contacts are kept."""


class Asterisk(_Table, frozen=True):
    """`[asterisk]`: what our Asterisk listens on; ARI and AMI are always on 127.0.0.1."""

    http_port: Port = 8088
    ami_port: Port = 5038
    sip_address: str = "127.0.0.1"
    """IP address that phones reach; 0.0.0.0 for every address of the machine."""
    sip_port: Port = 5060
    rtp_start: Port = 10000
    rtp_end: Port = 19999
    qualify_s: Annotated[int, Meta(ge=0, le=3600, description="whole seconds from 0 (never) to 3600")] = 30
    """How often phones are asked whether they are there; it also keeps the way through their NAT open."""
    fallback_tries: Annotated[int, Meta(ge=1, le=1000, description="a whole number from 1 to 1000")] = 10
    """How often the dialplan hands a caller over again while the daemon is away, before it offers a callback."""
    fallback_wait_s: Annotated[int, Meta(ge=1, le=60, description="whole seconds from 1 to 60")] = 3


class Sip(_Table, frozen=True):
    """`[sip]`: how phones beyond the local network reach us, what protects them, and who may not even ask."""

    external_address: Annotated[str, Meta(max_length=253, description="an IP address or a host name in quotes")] = ""
    """Under which the world sees this machine, when that is not `asterisk.sip_address`; empty: there is no NAT before us."""
    local_nets: tuple[Net, ...] = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8")
    """Whoever is in one of them is told our own address instead."""
    registration_s: Annotated[int, Meta(ge=60, le=86400, description="whole seconds from 60 to 86400")] = 120
    """How long a phone's registration holds at most."""
    rtp_timeout_s: Annotated[int, Meta(ge=0, le=3600, description="whole seconds from 0 (never) to 3600")] = 60
    """A conversation from which no sound comes for so long is over."""
    tcp: bool = False
    """On `asterisk.sip_port` also by TCP."""
    tls_port: PortOrNone = 0
    certificate: Annotated[str, Meta(max_length=1000, pattern=r"\A[^\x00]*\Z", description="a path in quotes")] = ""
    """PEM, with its chain; relative to `ccserver.toml`. Empty: one of our own authority, made when it is missing."""
    private_key: Annotated[str, Meta(max_length=1000, pattern=r"\A[^\x00]*\Z", description="a path in quotes")] = ""
    tls_names: tuple[
        Annotated[str, Meta(min_length=1, max_length=253, description="a host name or an IP address")], ...
    ] = ()
    """What phones have as their server; the certificate must be for these. Empty: the external address, or our own."""
    expiry_warning_days: Annotated[int, Meta(ge=1, le=365, description="whole days from 1 to 365")] = 21
    encryption: Encryption = "off"
    """Of operators' sound (SRTP); an operator may have his own."""
    allow_nets: tuple[Net, ...] = ()
    """Empty: everybody may ask, and needs a password."""
    deny_nets: tuple[Net, ...] = ()


class Api(_Table, frozen=True):
    """`[api]`: the status API and the live page."""

    address: str = "127.0.0.1"
    port: Port = 8080
    callback_origins: tuple[Origin, ...] = ()
    """Sites whose pages may ask for callbacks without the token."""
    callbacks_per_hour: CallCount = 200
    callbacks_per_number_per_hour: CallCount = 3
    callbacks_per_address_per_hour: CallCount = 20


class Store(_Table, frozen=True):
    """`[store]`: where contacts are kept."""

    url: str = ""
    """Empty: the embedded SQLite in the state directory. It may hold a password: never shown."""


class Recordings(_Table, frozen=True):
    """`[recordings]`: where finished recordings are kept."""

    directory: PathName = "recordings"
    """Relative to the state directory."""
    announcement: Prompt | None = None
    """A prompt: that the call may be recorded."""
    pause_max_s: Annotated[float, Meta(ge=10, le=3600, description="seconds from 10 to 3600")] = 300.0
    """A pause that nobody ends is over then."""
    talk_days: Days = 0
    """How long talks are kept; 0: for ever."""
    voicemail_days: Days = 0


class Prompts(_Table, frozen=True):
    """`[prompts]`: what is said."""

    file: PathName = "../ivr-prompts/prompts.toml"
    """Relative to `ccserver.toml`."""


class Limits(_Table, frozen=True):
    """`[limits]`: how much of something is too much."""

    inbox_events: Annotated[int, Meta(ge=100, le=1_000_000, description="a whole number from 100 to 1000000")] = 10_000
    """Events waiting for the core; whoever makes more without bound waits for room."""
    decisions_kept_days: Annotated[int, Meta(ge=1, le=3650, description="whole days from 1 to 3650")] = 90
    """How long the store keeps why each contact was offered to whom (`ccserver explain`)."""


class Rules(_Table, frozen=True):
    """`[rules]`: rules of the house that belong to no queue."""

    refused_pause_s: Seconds = 10.0
    rona_limit: Annotated[int, Meta(ge=1, le=10, description="a whole number from 1 to 10")] = 1
    rona_pause_s: Seconds = 10.0
    rona_return_s: Seconds = 0.0
    unreachable_retry_s: Timeout = 30.0
    transfer_wait_s: Timeout = 20.0
    reconcile_every_s: Annotated[float, Meta(ge=5, le=3600, description="seconds from 5 to 3600")] = 30.0
    offers_at_once: Annotated[int, Meta(ge=1, le=1000, description="a whole number from 1 to 1000")] = 16
    not_ready_reasons: dict[ReasonDigit, HumanName] = {}
    not_ready_reason_required: bool = False
    wrap_up_max_s: Timeout = 300.0
    wrap_up_extension_s: Timeout = 60.0
    phone_shows: Shown = "{brand} · {queue}"
    region: RegionCode = "RU"
    """The country whose numbers may come without a country code."""
    language_skills: dict[LanguageCode, Name] = {}
    rank_s: Seconds = 60.0
    day_starts_at: TimeOfDay = "00:00"


class Line(_Table, frozen=True):
    """`[[lines]]`: a number customers dial."""

    number: Digits
    name: HumanName
    flow: Name
    language: LanguageCode
    timezone: str = "Europe/Moscow"
    day_starts_at: TimeOfDay = "00:00"
    priority_s: Seconds = 0.0
    caller_id: PublicNumber = ""
    """What calls that leave for this line show; empty: its own number."""
    record: RecordRule = None
    """Of its talks, where neither the operator nor the queue says anything; without: always."""
    keep_days: Days | None = None
    survey: Name | None = None
    brand: Text = ""
    source: Text = ""
    answer: Pickup = "at_once"
    calendar: Name | None = None
    closed: Name | None = None
    """`busy`, `reject`, or the name of a flow."""
    whisper: tuple[Prompt, ...] = ()


class Blocked(_Table, frozen=True):
    """`[[blocked]]`: numbers that are not let in."""

    numbers: Annotated[tuple[BlockedNumber, ...], Meta(min_length=1, description="an array of at least one number")]
    lines: tuple[Digits, ...] = ()
    treatment: Name = "reject"
    """`busy`, `reject`, or the name of a flow."""
    reason: Text = ""


class Trunk(_Table, frozen=True):
    """`[[trunks]]`: a way to the public network. Only the first part of it reaches the core (`core.plan.Trunk`)."""

    name: TrunkName
    title: HumanName
    host: Host
    priority: Annotated[int, Meta(ge=1, le=100, description="a whole number from 1 to 100")] = 1
    channels: Annotated[int, Meta(ge=1, le=10_000, description="a whole number from 1 to 10000")] = 30
    outbound: bool = True
    lines: tuple[Digits, ...] = ()
    number_format: NumberFormat = "e164"
    reach_timeout_s: PhoneTimeout = 8.0

    port: Port | None = None
    """Without: 5060, with TLS 5061."""
    transport: Literal["udp", "tcp", "tls"] = "udp"
    outbound_proxy: ProxyHost = ""
    register: bool = False
    user: SipUser = ""
    password: Password = ""
    """Also when it came from `password_file`: `load` puts it here."""
    password_file: TrunkPath = ""
    """Relative to `ccserver.toml`."""
    realm: Realm = ""
    from_user: SipUser = ""
    from_domain: Domain = ""
    contact_user: SipUser = ""
    expires_s: Annotated[int, Meta(ge=30, le=86400, description="whole seconds from 30 to 86400")] = 600
    retry_s: Annotated[int, Meta(ge=1, le=3600, description="whole seconds from 1 to 3600")] = 30
    addresses: tuple[str, ...] = ()
    """From which its calls come: IP addresses and networks. None: from `host`."""
    did: Literal["request", "to"] = "request"
    codecs: Annotated[tuple[Literal["alaw", "ulaw", "g722", "opus"], ...], Meta(min_length=1)] = ("alaw", "ulaw")
    dtmf: Literal["rfc4733", "info", "inband", "auto"] = "rfc4733"
    qualify_s: Annotated[int, Meta(ge=0, le=3600, description="whole seconds from 0 (never) to 3600")] = 60
    trust_identity: bool = True
    send_identity: bool = False
    srtp: bool = False
    ca_file: TrunkPath = ""
    """Relative to `ccserver.toml`; trusted besides the authorities that the system trusts."""

    def __repr__(self) -> str:
        """Without the password: this object ends up in logs and tracebacks."""
        return f"Trunk({self.name!r}, host={self.host!r})"

    @property
    def sip_port(self) -> int:
        """Where the trunk listens."""
        return self.port if self.port is not None else 5061 if self.transport == "tls" else 5060


class Calendar(_Table, frozen=True):
    """`[[calendars]]`: when somebody is there."""

    name: Name
    week: dict[WeekdayRange, Hours]
    timezone: str = "Europe/Moscow"
    days: dict[DayRange, Hours] = {}
    """Days that are different."""


class Dispositions(_Table, frozen=True):
    """`[queues.dispositions]`, `[outbound.dispositions]`: what an operator is asked after a talk."""

    codes: dict[TopicCode, HumanName] = {}
    required: bool = False
    currency: Currency = "RUB"


class Stage(_Table, frozen=True):
    """`[[queues.relax]]`, and `relax` of a queue step: what a contact asks less after a wait."""

    after_s: Timeout
    skills: dict[Name, Annotated[int, Meta(ge=0, le=9, description="a level from 0 (not asked) to 9")]] = {}
    queues: tuple[Name, ...] = ()


class Queue(_Table, frozen=True):
    """`[[queues]]`."""

    name: Name
    title: HumanName
    skills: Skills = {}
    pick: Pick = "longest_idle"
    priority_s: Seconds = 0.0
    music: Name = "default"
    target_s: Timeout = 20.0
    short_abandon_s: Seconds = 5.0
    reach_timeout_s: PhoneTimeout = 5.0
    ring_timeout_s: PhoneTimeout = 20.0
    wrap_up_s: Seconds = 15.0
    record: RecordRule = None
    keep_days: Days | None = None
    tell_every_s: Seconds = 0.0
    tell: tuple[Standing, ...] = ("position", "wait")
    messages: tuple[Prompt, ...] = ()
    dispositions: Dispositions = Dispositions()
    relax: tuple[Stage, ...] = ()
    language: Speaking = "any"
    language_level: Level = 1
    language_wait_s: Timeout = 30.0
    callback_first: CallFirst = "agent"
    callback_missed: bool = False
    callback_missed_after_s: Seconds = 60.0
    callback_missed_wait_s: Seconds = 15.0
    survey: Name | None = None
    sticky_days: Annotated[int, Meta(ge=0, le=365, description="whole days from 0 to 365")] = 0
    sticky_wait_s: Seconds = 30.0
    whisper: tuple[Prompt, ...] = ()


class Operator(_Table, frozen=True):
    """`[[operators]]`."""

    extension: Extension
    name: HumanName
    skills: Skills = {}
    queues: tuple[Name, ...] = ()
    language: LanguageCode = "ru"
    """In which feature codes are confirmed to him."""
    line: Digits | None = None
    """For which line he calls; without: the first."""
    role: Literal["operator", "supervisor"] = "operator"
    """A supervisor may listen to everybody's talks."""
    supervises: tuple[Name, ...] = ()
    """Queues to whose talks he may listen."""
    may_dial: tuple[Prefix, ...] = ()
    """Prefixes that he may dial, of those that `[tolls]` allows; empty: all of those."""
    record: RecordRule = None
    """Of his talks; `never` of the queue or line beats it."""
    ranks: dict[Name, Annotated[int, Meta(ge=1, le=9, description="a rank from 1 (his main work) to 9")]] = {}
    timezone: str = "Europe/Moscow"
    encryption: Encryption | None = None
    """Of his sound; as `sip.encryption` when not written."""
    auto_answer: bool = False


class Customer(_Table, frozen=True):
    """`[[customers]]`: somebody who calls and is known."""

    name: HumanName
    numbers: tuple[KnownNumber, ...] = ()
    prefixes: tuple[Prefix, ...] = ()
    priority_s: Seconds = 0.0
    language: LanguageCode | None = None
    agent: Extension | None = None


class CustomerFile(_Table, frozen=True):
    """`[customer_file]`: more of them, in a table that another program writes."""

    path: TrunkPath = ""
    """CSV; relative to `ccserver.toml`. Empty: there is none."""


class LookupField(_Table, frozen=True):
    """`[lookups.fields]`: one value of the answer."""

    at: Annotated[AnswerPath, Meta(min_length=1)]
    kind: FieldKind = "text"
    default: Annotated[str, Meta(max_length=200)] | None = None


class Lookup(_Table, frozen=True):
    """`[[lookups]]`: another computer that flows ask."""

    name: Name
    url: Url
    fields: dict[Variable, LookupField] = {}
    found_at: AnswerPath = ""
    headers: dict[HeaderName, HeaderValue] = {}
    secret_header: HeaderName = "Authorization"
    secret_file: TrunkPath = ""
    """Relative to `ccserver.toml`."""
    secret_variable: EnvironmentVariable = ""
    timeout_s: Annotated[float, Meta(ge=0.1, le=30, description="seconds from 0.1 to 30")] = 3.0
    cache_s: Seconds = 0.0
    at_once: Annotated[int, Meta(ge=1, le=1000, description="a whole number from 1 to 1000")] = 20
    failures: Annotated[int, Meta(ge=1, le=1000, description="a whole number from 1 to 1000")] = 5
    pause_s: Annotated[float, Meta(ge=1, le=3600, description="seconds from 1 to 3600")] = 30.0
    max_bytes: Annotated[int, Meta(ge=100, le=10_000_000, description="a whole number from 100 to 10000000")] = 65536


class Tolls(_Table, frozen=True):
    """`[tolls]`: which calls may leave."""

    allow: tuple[Prefix, ...] = plan.Tolls().allow
    deny: tuple[Prefix, ...] = plan.Tolls().deny
    calls_per_hour: CallCount = 1000
    operator_calls_per_hour: CallCount = 60


class Outbound(_Table, frozen=True):
    """`[outbound]`: calls that operators make."""

    ring_timeout_s: PhoneTimeout = 60.0
    wrap_up_s: Seconds = 15.0
    record: RecordRule = None
    dispositions: Dispositions = Dispositions()


class Callbacks(_Table, frozen=True):
    """`[callbacks]`: customers who are called back."""

    tries: Annotated[int, Meta(ge=1, le=20, description="a whole number from 1 to 20")] = 3
    busy_retry_s: Timeout = 300.0
    no_answer_retry_s: Timeout = 1800.0
    expire_after_s: Annotated[float, Meta(ge=60, le=2_592_000, description="seconds from 60 to 2592000 (30 days)")] = (
        86400.0
    )
    calendar: Name | None = None
    """When operators call back; without: at any time."""
    customer_calendar: Name | None = None
    """When customers may be called, by the clock where they are; without: at any time."""
    owed_max: Annotated[int, Meta(ge=1, le=10_000, description="a whole number from 1 to 10000")] = 1000
    """At once; whoever asks then is refused."""


class Main(_Table, frozen=True):
    """The whole of `ccserver.toml`."""

    node: Node
    asterisk: Asterisk = Asterisk()
    sip: Sip = Sip()
    api: Api = Api()
    store: Store = Store()
    recordings: Recordings = Recordings()
    prompts: Prompts = Prompts()
    limits: Limits = Limits()
    rules: Rules = Rules()
    tolls: Tolls = Tolls()
    outbound: Outbound = Outbound()
    callbacks: Callbacks = Callbacks()
    lines: tuple[Line, ...] = ()
    blocked: tuple[Blocked, ...] = ()
    trunks: tuple[Trunk, ...] = ()
    calendars: tuple[Calendar, ...] = ()
    queues: tuple[Queue, ...] = ()
    operators: tuple[Operator, ...] = ()
    customers: tuple[Customer, ...] = ()
    customer_file: CustomerFile = CustomerFile()
    lookups: tuple[Lookup, ...] = ()
