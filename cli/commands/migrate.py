"""migrate: the database's schema, brought up."""

from __future__ import annotations

from pathlib import Path

import click

from cli.database import data_dir_option, database_as_it_is
from shared.persistence.core.migrate import migrate_as_owner


@click.command()
@data_dir_option
def migrate(data_dir: Path) -> None:
    """Bring the database's schema up. Several may run at once: one does it, the others wait."""
    with database_as_it_is(data_dir) as (settings, _):
        revision = migrate_as_owner(settings, "migrate")
    click.echo(f"The schema is at {revision}.")
