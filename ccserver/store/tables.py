"""The store's tables, for every query that is written in Python; `sql/versions` makes them, and a test compares the two.

Times are UTC epoch seconds and durations seconds, both DOUBLE PRECISION rounded to the millisecond: the same number in the
journal, in Python and in either database, so a duration is a subtraction everywhere; the API shows ISO 8601, and
`to_timestamp(arrived_at)` or `datetime(arrived_at, 'unixepoch')` does in SQL. There are no foreign keys: the journal
is the truth, and a projector that may be refused a row of it would stop for ever. Columns that carry a state or an outcome
hold the values of the enums in `ccserver.core`.
"""

from sqlalchemy import BigInteger, Boolean, Column, Double, Index, Integer, MetaData, Table, Text

SCHEMA = 17
"""The newest migration in `sql/versions` (`0016`)."""

metadata = MetaData()

contact = Table(
    "contact",
    metadata,
    Column("id", Text, primary_key=True),
    Column("node", Text, nullable=False),
    Column("line", Text, nullable=False),
    Column("ani", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("trunk", Text),
    Column("language", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("arrived_at", Double, nullable=False),
    Column("entered_at", Double, nullable=False),
    Column("ended_at", Double),
    Column("first_queue", Text),
    Column("agent", Text),
    Column("outcome", Text),
    Column("ivr_s", Double, nullable=False),
    Column("wait_s", Double, nullable=False),
    Column("ring_s", Double, nullable=False),
    Column("talk_s", Double, nullable=False),
    Column("hold_s", Double, nullable=False),
    Column("holds", Integer, nullable=False),
    Column("dial_s", Double, nullable=False),
    Column("reason", Text, nullable=False),
    Column("callback", Text),
    Column("callback_number", Text, nullable=False),
    Column("callback_tries", Integer, nullable=False),
    Column("callback_answered_at", Double),
    Column("callback_s", Double, nullable=False),
    Column("brand", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("answered_at", Double),
    # newest first, and one page after the other; then the same for one line, queue, agent, caller or source
    Index("contact_arrived_at", "arrived_at", "id"),
    Index("contact_line", "line", "arrived_at"),
    Index("contact_first_queue", "first_queue", "arrived_at"),
    Index("contact_agent", "agent", "arrived_at"),
    Index("contact_ani", "ani", "arrived_at"),
    Index("contact_source", "source", "arrived_at"),
)
"""The CDR; a contact still going on has no `ended_at` and no `outcome`. `agent` is the last who talked; `answered_at` is when
the customer's leg was answered, from which somebody pays."""

segment = Table(
    "segment",
    metadata,
    Column("contact", Text, primary_key=True),
    Column("n", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("flow", Text),
    Column("queue", Text),
    Column("agent", Text),
    Column("offer", Text),
    Column("started_at", Double, nullable=False),
    Column("ended_at", Double),
    Column("outcome", Text),
    Column("reason", Text, nullable=False),
    Column("hold_s", Double, nullable=False),
    Column("holds", Integer, nullable=False),
    Column("transfer", Text),
    # reports go by interval of queue entry and by agent's talks
    Index("segment_queue", "queue", "started_at"),
    Index("segment_agent", "agent", "started_at"),
)

offer = Table(
    "offer",
    metadata,
    Column("id", Text, primary_key=True),
    Column("contact", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("made_at", Double, nullable=False),
    Column("ringing_at", Double),
    Column("answered_at", Double),
    Column("ended_at", Double),
    Column("ring_s", Double, nullable=False),
    Column("outcome", Text),
    Column("why", Text, nullable=False),
    Column("consult", Boolean, nullable=False),
    Index("offer_contact", "contact"),
    Index("offer_agent", "agent", "made_at"),
    Index("offer_queue", "queue", "made_at"),
)

attempt = Table(
    "attempt",
    metadata,
    Column("id", Text, primary_key=True),
    Column("contact", Text, nullable=False),
    Column("trunk", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("made_at", Double, nullable=False),
    Column("ringing_at", Double),
    Column("answered_at", Double),
    Column("ended_at", Double),
    Column("ring_s", Double, nullable=False),
    Column("outcome", Text),
    Column("cause", Integer),
    Column("sip_status", Integer),
    Column("why", Text, nullable=False),
    Index("attempt_contact", "contact"),
    Index("attempt_trunk", "trunk", "made_at"),
)
"""Each try to reach a customer whom an operator called."""

agent_interval = Table(
    "agent_interval",
    metadata,
    Column("agent", Text, primary_key=True),
    Column("journal", Text, primary_key=True),
    Column("n", Integer, primary_key=True),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("ended_at", Double, nullable=False),
    Column("contact", Text),
    Column("by", Text, nullable=False),
    Index("agent_interval_agent", "agent", "started_at"),
    Index("agent_interval_started_at", "started_at"),
)
"""`n` counts anew when a journal is lost, hence `journal`: what was before must not be overwritten."""

disposition = Table(
    "disposition",
    metadata,
    Column("contact", Text, primary_key=True),
    Column("segment", Integer, primary_key=True),
    Column("n", Integer, primary_key=True),
    Column("agent", Text, nullable=False),
    Column("line", Text, nullable=False),
    Column("queue", Text),
    Column("talked_at", Double, nullable=False),
    Column("codes", Text, nullable=False),
    Column("topics", Text, nullable=False),
    Column("order_value_cents", BigInteger),
    Column("currency", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("given_at", Double),
    Index("disposition_talked_at", "talked_at"),
    Index("disposition_agent", "agent", "talked_at"),
)
"""What each talk was about: `n` 0 is owed, each change the next; the last one counts. `codes` have commas between them,
`topics` (what they meant then) line breaks; values of orders are in hundredths of the currency."""

recording = Table(
    "recording",
    metadata,
    Column("contact", Text, primary_key=True),
    Column("recording", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("path", Text),
    Column("duration_s", Double, nullable=False),
    Column("lost", Text, nullable=False),
    Column("gaps", Text, nullable=False),
    Column("purged_at", Double),
    Column("purged_by", Text, nullable=False),
)
"""`path` is relative to the recordings directory; NULL: `lost` says why there is none. `gaps`: JSON, where it
is silent because it was paused. `purged_at`: it had been kept long enough by the rule `purged_by`, and its file was removed."""

preservation = Table(
    "preservation",
    metadata,
    Column("contact", Text, primary_key=True),
    Column("preserved", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Double, nullable=False),
)
"""Contacts whose recordings must not be removed (`preserved` 1), or may be again (0)."""

decision = Table(
    "decision",
    metadata,
    Column("contact", Text, primary_key=True),
    Column("segment", Integer, primary_key=True),
    Column("offer", Integer, primary_key=True),
    Column("at", Double, nullable=False),
    Column("queue", Text, nullable=False),
    Column("needs", Text, nullable=False),
    Column("also", Text, nullable=False),
    Column("eased", Text, nullable=False),
    Column("ahead", Integer, nullable=False),
    Column("able", Text, nullable=False),
    Column("asked", Text),
    Column("only_until", Double),
    Column("agent", Text),
    Column("why", Text, nullable=False),
    Column("idle_since", Double),
    Column("lack", Text),
    Column("others", Text, nullable=False),
    Column("idle", Integer, nullable=False),
    Index("decision_at", "at"),
)
"""Why a contact was offered to this agent, or to nobody (`offer` 0); `needs`, `able` and `others` are JSON. Kept for a while."""

shortage = Table(
    "shortage",
    metadata,
    Column("queue", Text, primary_key=True),
    Column("needs", Text, primary_key=True),
    Column("also", Text, primary_key=True),
    Column("at", Double, primary_key=True),
    Column("lack", Text, nullable=False),
    Column("able", Text, nullable=False),
    Index("shortage_at", "at"),
)
"""Since when, and why, nobody took contacts of these needs while some waited. Kept for a while."""

inquiry = Table(
    "inquiry",
    metadata,
    Column("id", Text, primary_key=True),
    Column("contact", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("asked_at", Double, nullable=False),
    Column("ended_at", Double),
    Column("verdict", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("cached", Integer, nullable=False),
    Index("inquiry_contact", "contact"),
    Index("inquiry_asked_at", "asked_at"),
)
"""What a contact's flow asked outside (`kind`: lookup, function, dialplan), and what came of it. Kept for a while."""

survey = Table(
    "survey",
    metadata,
    Column("contact", Text, primary_key=True),
    Column("flow", Text, nullable=False),
    Column("line", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("talk", Integer, nullable=False),
    Column("begun_at", Double, nullable=False),
    Column("ended_at", Double),
    # reports go by the time of asking
    Index("survey_begun_at", "begun_at"),
)
"""A customer who was asked after his talk; `talk` is the number of its segment, `agent` who talked in it."""

survey_score = Table(
    "survey_score",
    metadata,
    Column("contact", Text, primary_key=True),
    Column("question", Text, primary_key=True),
    Column("score", Integer, nullable=False),
)
"""What he answered, 1 to 5, by question; who hung up before left none."""

supervision = Table(
    "supervision",
    metadata,
    Column("leg", Text, primary_key=True),
    Column("contact", Text, nullable=False),
    Column("supervisor", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("made_at", Double, nullable=False),
    Column("answered_at", Double),
    Column("ended_at", Double),
    Column("modes", Text, nullable=False),
    Index("supervision_contact", "contact"),
    Index("supervision_supervisor", "supervisor", "made_at"),
    Index("supervision_agent", "agent", "made_at"),
)
"""Who listened to whom, when and how. `modes`: JSON, each mode and since when; without `answered_at` he heard nothing."""

measure = Table(
    "measure",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("line", Text),
    Column("taken_by", Text, nullable=False),
    Column("since", Double, nullable=False),
    Column("until", Double),
    Column("body", Text, nullable=False),
    Column("lifted_at", Double),
    Column("lifted_by", Text),
)
"""What supervisors put in force at run time, and until when; `body` is all of it as JSON, `line` NULL: every line."""

plan = Table(
    "plan",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("body", Text, nullable=False),
    Column("adopted_at", Double, nullable=False),
)
"""Every configuration that was ever in force, as JSON; `adopted_at` for the first time."""

projected = Table(
    "projected",
    metadata,
    Column("node", Text, primary_key=True),
    Column("journal", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("now", Double, nullable=False),
    Column("epoch", BigInteger, nullable=False),
)
"""How far a node's journal has been written here (`now`: the clock of turn `seq`, exactly), and by the how-manieth daemon:
an older one is refused."""
