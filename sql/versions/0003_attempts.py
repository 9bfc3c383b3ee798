"""Calls that operators make: each attempt to reach the customer, how long it took, and why it came to nothing."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("contact", sa.Column("dial_s", sa.Double, nullable=False, server_default="0"))
    op.add_column("contact", sa.Column("reason", sa.Text, nullable=False, server_default=""))
    op.create_table(
        "attempt",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("contact", sa.Text, nullable=False),
        sa.Column("trunk", sa.Text, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("made_at", sa.Double, nullable=False),
        sa.Column("ringing_at", sa.Double),
        sa.Column("answered_at", sa.Double),
        sa.Column("ended_at", sa.Double),
        sa.Column("ring_s", sa.Double, nullable=False),
        sa.Column("outcome", sa.Text),
        sa.Column("cause", sa.Integer),
        sa.Column("sip_status", sa.Integer),
        sa.Column("why", sa.Text, nullable=False),
    )
    op.create_index("attempt_contact", "attempt", ["contact"])
    op.create_index("attempt_trunk", "attempt", ["trunk", "made_at"])
