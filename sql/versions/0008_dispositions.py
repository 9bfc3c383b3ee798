"""What talks were about, and who wished an agent's state."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("agent_interval", sa.Column("by", sa.Text, nullable=False, server_default=""))
    op.create_table(
        "disposition",
        sa.Column("contact", sa.Text, primary_key=True),
        sa.Column("segment", sa.Integer, primary_key=True),
        sa.Column("n", sa.Integer, primary_key=True),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("line", sa.Text, nullable=False),
        sa.Column("queue", sa.Text),
        sa.Column("talked_at", sa.Double, nullable=False),
        sa.Column("codes", sa.Text, nullable=False),
        sa.Column("topics", sa.Text, nullable=False),
        sa.Column("order_value_cents", sa.BigInteger),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("given_at", sa.Double),
    )
    op.create_index("disposition_talked_at", "disposition", ["talked_at"])
    op.create_index("disposition_agent", "disposition", ["agent", "talked_at"])
