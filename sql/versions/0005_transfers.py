"""How a talk ended that ended with the customer handed over: blind or attended."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("segment", sa.Column("transfer", sa.Text))
