"""How Alembic reaches the database: over the connection that shared.persistence.core.migrate hands it."""

from alembic import context

from shared.persistence.core.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
