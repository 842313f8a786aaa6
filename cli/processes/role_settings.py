"""A role's settings: what each of its processes begins with, be it supervisor or supervised."""

from __future__ import annotations

import click

from cli.errors import NotDoneError
from shared.failpoints import arm
from shared.settings import Settings, load_failpoints, load_settings

liveness_option = click.option(
    "--liveness-fd", type=int, required=True, help="The pipe at which the supervisor's watchdog is pinged."
)


def settings_with_servers(role: str) -> Settings:
    """The settings of a role, which runs no servers. Raises NotDoneError when the environment names none."""
    settings = load_settings()
    missing = [name for name in ("database_url", "redis_url") if not getattr(settings, name)]
    if missing:
        raise NotDoneError(
            f"`ordermill {role}` needs {' and '.join(name.upper() for name in missing)} in its environment; "
            "`ordermill serve` runs everything on this machine without."
        )
    arm(load_failpoints())
    return settings
