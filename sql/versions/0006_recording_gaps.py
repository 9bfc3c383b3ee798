"""Where a recording is silent because it was paused: JSON, [[from, to], …] in seconds from its beginning."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("recording", sa.Column("gaps", sa.Text, nullable=False, server_default="[]"))
