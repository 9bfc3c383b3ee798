"""Call tracking: whose number was dialled and what it stands for; and when the customer's leg was answered, so what is paid."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.add_column("contact", sa.Column("brand", sa.Text, nullable=False, server_default=""))
    op.add_column("contact", sa.Column("source", sa.Text, nullable=False, server_default=""))
    op.add_column("contact", sa.Column("answered_at", sa.Double))
    op.create_index("contact_source", "contact", ["source", "arrived_at"])
