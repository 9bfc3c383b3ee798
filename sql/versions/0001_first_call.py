"""Contacts with segments, offers and recordings; agents' time; plans; how far each journal has been projected."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    _contact()
    _parts_of_a_contact()
    _agent_interval()
    op.create_table(
        "plan",
        sa.Column("hash", sa.Text, primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("adopted_at", sa.Double, nullable=False),
    )
    op.create_table(
        "projected",
        sa.Column("node", sa.Text, primary_key=True),
        sa.Column("journal", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("now", sa.Double, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
    )


def _contact() -> None:
    op.create_table(
        "contact",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("line", sa.Text, nullable=False),
        sa.Column("ani", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("plan", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("arrived_at", sa.Double, nullable=False),
        sa.Column("entered_at", sa.Double, nullable=False),
        sa.Column("ended_at", sa.Double),
        sa.Column("first_queue", sa.Text),
        sa.Column("agent", sa.Text),
        sa.Column("outcome", sa.Text),
        sa.Column("ivr_s", sa.Double, nullable=False),
        sa.Column("wait_s", sa.Double, nullable=False),
        sa.Column("ring_s", sa.Double, nullable=False),
        sa.Column("talk_s", sa.Double, nullable=False),
    )
    op.create_index("contact_arrived_at", "contact", ["arrived_at", "id"])
    for column in ("line", "first_queue", "agent", "ani"):
        op.create_index(f"contact_{column}", "contact", [column, "arrived_at"])


def _parts_of_a_contact() -> None:
    op.create_table(
        "segment",
        sa.Column("contact", sa.Text, primary_key=True),
        sa.Column("n", sa.Integer, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("flow", sa.Text),
        sa.Column("queue", sa.Text),
        sa.Column("agent", sa.Text),
        sa.Column("offer", sa.Text),
        sa.Column("started_at", sa.Double, nullable=False),
        sa.Column("ended_at", sa.Double),
        sa.Column("outcome", sa.Text),
    )
    op.create_index("segment_queue", "segment", ["queue", "started_at"])
    op.create_index("segment_agent", "segment", ["agent", "started_at"])
    op.create_table(
        "offer",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("contact", sa.Text, nullable=False),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("queue", sa.Text, nullable=False),
        sa.Column("made_at", sa.Double, nullable=False),
        sa.Column("ringing_at", sa.Double),
        sa.Column("answered_at", sa.Double),
        sa.Column("ended_at", sa.Double),
        sa.Column("ring_s", sa.Double, nullable=False),
        sa.Column("outcome", sa.Text),
        sa.Column("why", sa.Text, nullable=False),
    )
    op.create_index("offer_contact", "offer", ["contact"])
    op.create_index("offer_agent", "offer", ["agent", "made_at"])
    op.create_index("offer_queue", "offer", ["queue", "made_at"])
    op.create_table(
        "recording",
        sa.Column("contact", sa.Text, primary_key=True),
        sa.Column("recording", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("path", sa.Text),
        sa.Column("duration_s", sa.Double, nullable=False),
        sa.Column("lost", sa.Text, nullable=False),
    )


def _agent_interval() -> None:
    op.create_table(
        "agent_interval",
        sa.Column("agent", sa.Text, primary_key=True),
        sa.Column("journal", sa.Text, primary_key=True),
        sa.Column("n", sa.Integer, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("started_at", sa.Double, nullable=False),
        sa.Column("ended_at", sa.Double, nullable=False),
        sa.Column("contact", sa.Text),
    )
    op.create_index("agent_interval_agent", "agent_interval", ["agent", "started_at"])
    op.create_index("agent_interval_started_at", "agent_interval", ["started_at"])
