"""Which way a contact went: its direction and its trunk."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    # What was there before came in, and from a phone of ours.
    op.add_column("contact", sa.Column("direction", sa.Text, nullable=False, server_default="inbound"))
    op.add_column("contact", sa.Column("trunk", sa.Text))
