"""Offers that were made to a third party of a talk."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("offer", sa.Column("consult", sa.Boolean, nullable=False, server_default=sa.false()))
