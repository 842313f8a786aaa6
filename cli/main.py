"""The ordermill program: a table of commands, each imported only when it is called."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

from cli.errors import NotDoneError

# Name → where the command is, and its line in the help (said here, so that --help imports none of them).
COMMANDS = {
    "serve": ("cli.commands.serve:serve", "Run everything on this machine, servers included."),
    "demo": ("cli.commands.demo:demo", "Show the whole walk with a sample catalog."),
    "submit": ("cli.commands.client:submit", "Post a file of keyed orders."),
    "job": ("cli.commands.client:job", "Show how far a job is."),
    "results": ("cli.commands.client:results", "Print the outcomes of a job."),
    "catalog": ("cli.commands.catalog:catalog", "Load or export the catalog: items, prices, stock, markets."),
    "keys": ("cli.commands.keys:keys", "Create, list and revoke API keys."),
    "migrate": ("cli.commands.roles:migrate", "Bring the database's schema up."),
    "api": ("cli.commands.roles:api", "Run the HTTP API alone."),
    "worker": ("cli.commands.roles:worker", "Run a Celery worker alone."),
    "mailer": ("cli.commands.roles:mailer", "Run the sender of confirmations alone."),
    "scheduler": ("cli.commands.roles:scheduler", "Run the scheduler alone."),
    "health": ("cli.commands.health:health", "Tell whether a worker, mailer or scheduler does its work."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, and whose faults are one sentence each."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """The names, as the table has them."""
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands' part of the help, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what an operator can mend is told in one sentence, with exit code 2."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            sentence = _sentence(error)
            if sentence is None:
                raise
            raise NotDoneError(sentence) from error


def _sentence(error: Exception) -> str | None:
    from shared.settings import SettingsError  # noqa: PLC0415 - the faults of what was imported, at no cost to --help

    if isinstance(error, (SettingsError, click.ClickException, click.exceptions.Exit, click.Abort)):
        return str(error) if isinstance(error, SettingsError) else None
    from cli.servers.data_dir import ServersError  # noqa: PLC0415
    from shared.persistence.core.errors import DatabaseAwayError, PersistenceError  # noqa: PLC0415
    from shared.private_files import ForeignFileError  # noqa: PLC0415

    if isinstance(error, DatabaseAwayError):
        return _why_away()
    if isinstance(error, ForeignFileError):
        return f"{error.strerror}."
    if isinstance(error, PersistenceError):
        return f"The database refused: {error}."
    return str(error) if isinstance(error, ServersError) else None


def _why_away() -> str:
    from shared.persistence.core.unreachable import why_unreachable  # noqa: PLC0415
    from shared.settings import load_settings  # noqa: PLC0415

    settings = load_settings()
    for name in ("database_url", "migrate_database_url"):
        url = getattr(settings, name)
        why = why_unreachable(url, settings.database_connect_seconds, name.upper()) if url else ""
        if why:
            return why
    # What the data directory has, or what has come back meanwhile.
    return "The database cannot be reached, or could not a moment ago: try again."


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ordermill")
def main() -> None:
    """Take keyed batches of orders, keep the promise, and give back an outcome under each key."""
