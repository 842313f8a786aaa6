"""Every setting of ordermill, with its unit in its name; the only package that reads the environment.

A setting's environment variable is its field's name in capitals: ``sync_max_orders`` is ``SYNC_MAX_ORDERS``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from shared.settings.api import ApiSettings
from shared.settings.environment import (
    ClientSettings,
    environment_with,
    load_client_settings,
    load_data_dir,
    load_failpoints,
)
from shared.settings.logs import LogSettings
from shared.settings.mail import MailSettings
from shared.settings.scheduler import SchedulerSettings
from shared.settings.servers import ServerLimitSettings, ServerSettings
from shared.settings.setting import SettingsError, read_setting
from shared.settings.worker import WorkerSettings

__all__ = [
    "ClientSettings",
    "Settings",
    "SettingsError",
    "environment_with",
    "load_client_settings",
    "load_data_dir",
    "load_failpoints",
    "load_settings",
    "setting_names",
]


@dataclass(frozen=True, kw_only=True)
class Settings(
    # Their fields follow one another from the last of these to the first.
    LogSettings,
    ServerLimitSettings,
    SchedulerSettings,
    MailSettings,
    WorkerSettings,
    ApiSettings,
    ServerSettings,
):
    """What an operator may set. Units: ``_seconds``, ``_bytes``, ``_days``; counts name what they count."""

    @property
    def owners(self) -> Settings:
        """The same, with the database as the owner of the tables reaches it."""
        return replace(self, database_url=self.migrate_database_url or self.database_url)


def setting_names() -> dict[str, str]:
    """Environment variable → what it means, for all settings."""
    return {f.name.upper(): f.metadata["doc"] for f in fields(Settings)}


def load_settings(environ: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
    """Read the settings from the environment; ``overrides`` win over it.

    Raises SettingsError naming the variable, its value and what would do.
    """
    source = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    for f in fields(Settings):
        raw = source.get(f.name.upper(), "")
        if raw != "":
            values[f.name] = read_setting(f.name.upper(), raw, type(f.default), f.metadata["minimum"])
    return Settings(**{**values, **overrides})
