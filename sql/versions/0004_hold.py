"""How long customers were on hold, and how many times: of each talk, and of the whole contact."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    for table in ("contact", "segment"):
        op.add_column(table, sa.Column("hold_s", sa.Double, nullable=False, server_default="0"))
        op.add_column(table, sa.Column("holds", sa.Integer, nullable=False, server_default="0"))
