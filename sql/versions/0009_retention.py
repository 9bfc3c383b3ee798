"""When and by which rule a recording was removed; and contacts whose recordings must not be."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("recording", sa.Column("purged_at", sa.Double))
    op.add_column("recording", sa.Column("purged_by", sa.Text, nullable=False, server_default=""))
    op.create_table(
        "preservation",
        sa.Column("contact", sa.Text, primary_key=True),
        sa.Column("preserved", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
    )
