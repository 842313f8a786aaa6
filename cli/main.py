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
    "submit": ("cli.commands.submit:submit", "Post a file of keyed orders."),
    "job": ("cli.commands.job:job", "Show how far a job is; cancel, retry or delete it."),
    "jobs": ("cli.commands.jobs:jobs", "List jobs."),
    "results": ("cli.commands.results:results", "Print the outcomes of a job."),
    "orders": ("cli.commands.orders:orders", "Show, list, ship and cancel orders."),
    "stock": ("cli.commands.stock:stock", "Show what lies where, and set what was counted."),
    "catalog": ("cli.commands.catalog:catalog", "Load or export the catalog: items, prices, stock, markets."),
    "numbers": ("cli.commands.numbers:numbers", "Show or set where automatic order numbers go on."),
    "keys": ("cli.commands.keys:keys", "Create, rotate, list and revoke API keys."),
    "migrate": ("cli.commands.migrate:migrate", "Bring the database's schema up."),
    "api": ("cli.commands.api:api", "Run the HTTP API alone."),
    "worker": ("cli.commands.worker:worker", "Run a Celery worker alone."),
    "mailer": ("cli.commands.mailer:mailer", "Run the sender of confirmations alone."),
    "scheduler": ("cli.commands.scheduler:scheduler", "Run the scheduler alone."),
    "health": ("cli.commands.health:health", "Tell whether a worker, mailer or scheduler does its work."),
}
# What a supervisor runs, and nobody types.
PROCESSES = {
    "worker-process": "cli.commands.worker_process:worker_process",
    "mailer-process": "cli.commands.mailer_process:mailer_process",
    "scheduler-process": "cli.commands.scheduler_process:scheduler_process",
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, and whose faults are one sentence each."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """The names, as the table has them."""
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        place = COMMANDS[cmd_name][0] if cmd_name in COMMANDS else PROCESSES.get(cmd_name)
        if place is None:
            return None
        command: click.Command = _imported(place)
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands' part of the help, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what an operator can mend is told in one sentence, with exit code 2."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            # As late as a command: it knows the errors of all that commands import.
            sentence = _imported("cli.error_sentences:sentence_of")(error)
            if sentence is None:
                raise
            raise NotDoneError(sentence) from error


def _imported(place: str) -> Any:
    module, _, attribute = place.partition(":")
    return getattr(import_module(module), attribute)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ordermill")
def main() -> None:
    """Take keyed batches of orders, keep the promise, and give back an outcome under each key."""
