"""Who listened to whom: supervisors in talks."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "supervision",
        sa.Column("leg", sa.Text, primary_key=True),
        sa.Column("contact", sa.Text, nullable=False),
        sa.Column("supervisor", sa.Text, nullable=False),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("made_at", sa.Double, nullable=False),
        sa.Column("answered_at", sa.Double),
        sa.Column("ended_at", sa.Double),
        sa.Column("modes", sa.Text, nullable=False),
    )
    op.create_index("supervision_contact", "supervision", ["contact"])
    op.create_index("supervision_supervisor", "supervision", ["supervisor", "made_at"])
    op.create_index("supervision_agent", "supervision", ["agent", "made_at"])
