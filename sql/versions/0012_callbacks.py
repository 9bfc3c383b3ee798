"""Callbacks: how one came to be owed to a contact, at which number, how often it was tried in vain, whether it was answered."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.add_column("contact", sa.Column("callback", sa.Text))
    op.add_column("contact", sa.Column("callback_number", sa.Text, nullable=False, server_default=""))
    op.add_column("contact", sa.Column("callback_tries", sa.Integer, nullable=False, server_default="0"))
    op.add_column("contact", sa.Column("callback_answered_at", sa.Double))
    op.add_column("contact", sa.Column("callback_s", sa.Double, nullable=False, server_default="0"))
