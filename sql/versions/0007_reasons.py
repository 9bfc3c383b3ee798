"""Why a stretch of a contact ended as it did: what made it overflow, or which key the caller pressed."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("segment", sa.Column("reason", sa.Text, nullable=False, server_default=""))
