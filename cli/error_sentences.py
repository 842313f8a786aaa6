"""Errors that an operator can mend, each told in one sentence."""

from __future__ import annotations

from cli.servers.data_dir import ServersError
from shared.persistence.core.errors import DatabaseAwayError, PersistenceError
from shared.persistence.core.unreachable import why_unreachable
from shared.private_files import ForeignFileError
from shared.settings import SettingsError, load_settings


def sentence_of(error: Exception) -> str | None:
    """What is wrong and the way out; None for an error that is ours to mend."""
    if isinstance(error, DatabaseAwayError):
        return _why_away()
    if isinstance(error, ForeignFileError):
        return f"{error.strerror}."
    if isinstance(error, PersistenceError):
        return f"The database refused: {error}."
    return str(error) if isinstance(error, (SettingsError, ServersError)) else None


def _why_away() -> str:
    settings = load_settings()
    for name in ("database_url", "migrate_database_url"):
        url = getattr(settings, name)
        why = why_unreachable(url, settings.database_connect_seconds, name.upper()) if url else ""
        if why:
            return why
    # What the data directory has, or what has come back meanwhile.
    return "The database cannot be reached, or could not a moment ago: try again."
