"""Alembic's entry: applies migrations on the connection that `ccserver.store.schema` hands over (`ccserver migrate`)."""

from alembic import context

from ccserver.store.tables import metadata

connection = context.config.attributes.get("connection")
if connection is None:
    raise SystemExit("migrations are applied by `ccserver migrate`")

context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=False)
with context.begin_transaction():
    context.run_migrations()
