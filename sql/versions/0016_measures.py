"""What supervisors put in force at run time: announcements, closed lines, blocked numbers."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.create_table(
        "measure",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("line", sa.Text),
        sa.Column("taken_by", sa.Text, nullable=False),
        sa.Column("since", sa.Double, nullable=False),
        sa.Column("until", sa.Double),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("lifted_at", sa.Double),
        sa.Column("lifted_by", sa.Text),
    )
