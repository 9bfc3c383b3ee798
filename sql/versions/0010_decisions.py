"""The decision log: why a contact was offered to whom, and why it waited."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "decision",
        sa.Column("contact", sa.Text, primary_key=True),
        sa.Column("segment", sa.Integer, primary_key=True),
        sa.Column("offer", sa.Integer, primary_key=True),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("queue", sa.Text, nullable=False),
        sa.Column("needs", sa.Text, nullable=False),
        sa.Column("also", sa.Text, nullable=False),
        sa.Column("eased", sa.Text, nullable=False),
        sa.Column("ahead", sa.Integer, nullable=False),
        sa.Column("able", sa.Text, nullable=False),
        sa.Column("asked", sa.Text),
        sa.Column("only_until", sa.Double),
        sa.Column("agent", sa.Text),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("idle_since", sa.Double),
        sa.Column("lack", sa.Text),
        sa.Column("others", sa.Text, nullable=False),
        sa.Column("idle", sa.Integer, nullable=False),
    )
    op.create_index("decision_at", "decision", ["at"])
    op.create_table(
        "shortage",
        sa.Column("queue", sa.Text, primary_key=True),
        sa.Column("needs", sa.Text, primary_key=True),
        sa.Column("also", sa.Text, primary_key=True),
        sa.Column("at", sa.Double, primary_key=True),
        sa.Column("lack", sa.Text, nullable=False),
        sa.Column("able", sa.Text, nullable=False),
    )
    op.create_index("shortage_at", "shortage", ["at"])
