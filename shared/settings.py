"""Every setting of ordermill, with its unit in its name; the only place that reads the environment.

A setting's environment variable is its field's name in capitals: ``sync_max_orders`` is ``SYNC_MAX_ORDERS``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

MIB = 1024 * 1024


class SettingsError(Exception):
    """A variable has a value that cannot be used; the message names it and says what would do."""


def _setting(default: Any, doc: str, *, minimum: float | None = None) -> Any:
    return field(default=default, metadata={"doc": doc, "minimum": minimum})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What an operator may set. Units: ``_seconds``, ``_bytes``, ``_days``; counts name what they count."""

    database_url: str = _setting("", "PostgreSQL, as postgresql://user:password@host/database")
    migrate_database_url: str = _setting(
        "", "the same database for `ordermill migrate`, as the role that owns the tables; else DATABASE_URL"
    )
    redis_url: str = _setting("", "Redis, as redis://:password@host:6379/0 or unix:///path/to/socket")

    # -- the API -------------------------------------------------------------------------------------------
    max_body_bytes: int = _setting(128 * MIB, "request body, after inflating", minimum=1024)
    max_orders: int = _setting(100_000, "orders in one batch", minimum=1)
    max_order_bytes: int = _setting(4 * MIB, "one order, so that no worker has to hold more", minimum=1024)
    max_key_chars: int = _setting(1_024, "characters in a batch key", minimum=1)
    max_nesting: int = _setting(32, "levels of arrays and objects inside an order", minimum=8)
    sync_max_orders: int = _setting(1_000, "orders up to which a batch without a preference waits", minimum=0)
    sync_wait_seconds: float = _setting(25.0, "how long such a batch waits", minimum=0)
    max_wait_seconds: float = _setting(60.0, "the most that Prefer: wait=N may ask for", minimum=0)
    orders_page_max: int = _setting(1_000, "orders in one page of GET /v1/orders", minimum=1)
    orders_offset_max: int = _setting(100_000, "orders that such a page may skip", minimum=0)
    orders_page_max_lines: int = _setting(50_000, "lines in such a page of several orders", minimum=1)
    orders_page_max_bytes: int = _setting(32 * MIB, "about its JSON, of several orders", minimum=1024)
    stock_page_max: int = _setting(1_000, "items in one page of GET /v1/stock", minimum=1)
    stock_max_rows: int = _setting(10_000, "products in one POST /v1/stock", minimum=1)
    stock_max_body_bytes: int = _setting(8 * MIB, "its body, after inflating", minimum=1024)
    stock_tries_max: int = _setting(5, "tries of it while faults are transient", minimum=1)
    rate_limit_per_minute: int = _setting(
        6_000, "requests that one client may make in a minute; 0: any number", minimum=0
    )
    undecided_max_bytes: int = _setting(
        1024 * MIB, "orders of one client that wait for their outcomes; 0: any number", minimum=0
    )
    memory_budget_bytes: int = _setting(
        512 * MIB, "bodies and answers that one API process holds at once; beyond it, 503", minimum=1024
    )
    body_seconds_max: float = _setting(
        120.0, "how long a client may take to send a body, or to take an answer", minimum=1
    )
    api_processes: int = _setting(1, "gunicorn worker processes", minimum=1)
    api_threads: int = _setting(256, "threads in each; a waiting request holds one", minimum=2)
    waiters_max: int = _setting(
        160, "requests that wait for outcomes in one API process, a third of its threads left", minimum=1
    )
    waiters_max_per_key: int = _setting(128, "of those, requests of one client", minimum=1)
    requests_max_per_key: int = _setting(
        40, "requests of one client that one API process answers at once; those that wait apart", minimum=1
    )
    api_grace_seconds: int = _setting(30, "how long a stopping API lets requests finish", minimum=1)

    # -- the workers -----------------------------------------------------------------------------------------
    small_max_orders: int = _setting(
        25, "orders up to which a batch that is waited for goes first, each order a slice", minimum=0
    )
    small_max_bytes: int = _setting(256 * 1024, "bytes up to which it does, however few orders", minimum=1024)
    waited_slice_max_orders: int = _setting(
        25, "orders in a slice of a larger batch that is waited for", minimum=1
    )
    slice_max_orders: int = _setting(50, "orders in any slice", minimum=1)
    slice_max_bytes: int = _setting(256 * 1024, "bytes in a slice of several orders", minimum=1024)
    slice_max_lines: int = _setting(500, "lines, as estimated, in a slice of several orders", minimum=1)
    slice_tries_max: int = _setting(5, "tries of a slice in one task while faults are transient", minimum=1)
    slice_attempts_max: int = _setting(
        5, "times that a slice may kill its worker, whole and alone", minimum=1
    )
    settle_max_bytes: int = _setting(
        8 * MIB, "orders that one transaction settles; a larger slice is cut up", minimum=1024
    )
    settle_max_lines: int = _setting(10_000, "lines of orders up to which slices share one", minimum=1)
    order_limit_seconds: float = _setting(
        10.0, "processor time for reading and deciding one order; beyond it is given up", minimum=0.1
    )
    max_lines: int = _setting(5_000, "lines in one order", minimum=1)
    worker_processes: int = _setting(2, "prefork children of one Celery worker", minimum=1)
    task_limit_seconds: int = _setting(
        60,
        "hard limit of a message, the last resort; its slices stop by themselves at three quarters",
        minimum=5,
    )
    worker_grace_seconds: int = _setting(20, "how long a stopping worker lets slices finish", minimum=1)
    worker_silence_seconds: float = _setting(
        30.0, "how long a worker may take no messages before it is replaced", minimum=2
    )
    organisation_timezone: str = _setting("UTC", "the zone of dates that name none")
    confirm_orders: bool = _setting(False, "confirm orders by e-mail that do not say sendEmail")

    # -- confirmations by e-mail ---------------------------------------------------------------------------
    smtp_url: str = _setting("", "mail server, as smtp://user:password@host:587 or smtps://…; else MAIL_DIR")
    smtp_starttls: str = _setting("auto", "always, never, or auto: if offered; a must before a password")
    mail_dir: str = _setting(
        "", "directory for mails as .eml files when there is no SMTP_URL; else they wait"
    )
    mail_from: str = _setting("", "sender, as orders@shop.example or Shop <orders@shop.example>")
    mail_threads: int = _setting(4, "mails that one mailer hands over at once", minimum=1)
    mail_step_seconds: float = _setting(10.0, "limit for each answer of the mail server", minimum=0.1)
    mail_limit_seconds: float = _setting(20.0, "limit for handing over one mail", minimum=0.1)
    mail_retry_first_seconds: float = _setting(
        30.0, "pause after a mail's first try, doubled by each", minimum=0
    )
    mail_retry_most_seconds: float = _setting(3600.0, "the most that this grows to", minimum=0)
    mail_tries_max: int = _setting(30, "tries of one mail; with these pauses about a day", minimum=1)

    # -- healing -------------------------------------------------------------------------------------------
    sweep_seconds: float = _setting(2.0, "how often the scheduler looks for undecided slices", minimum=0)
    scheduler_silence_seconds: float = _setting(
        60.0, "how long the scheduler may be kept by one thing before it is replaced", minimum=2
    )
    redispatch_first_seconds: float = _setting(30.0, "how long a slice may wait before its next dispatch")
    redispatch_most_seconds: float = _setting(300.0, "the most that this grows to, doubling each time")
    redispatch_most_slices: int = _setting(
        500, "slices dispatched in one sweep, less the messages that wait already", minimum=1
    )
    redispatch_least_slices: int = _setting(
        25, "those due longest that a sweep dispatches however many messages wait", minimum=1
    )

    # -- keeping -------------------------------------------------------------------------------------------
    prune_seconds: float = _setting(60.0, "how often the scheduler prunes expired jobs", minimum=1)
    retention_days: int = _setting(30, "how long jobs can be asked for", minimum=1)
    bodies_days: int = _setting(7, "how long after a job's end what was sent is kept", minimum=1)

    # -- the servers behind --------------------------------------------------------------------------------
    database_pool_size: int = _setting(8, "connections of one process", minimum=1)
    database_connect_seconds: int = _setting(5, "limit for reaching PostgreSQL", minimum=1)
    statement_limit_seconds: int = _setting(30, "limit for one SQL statement", minimum=1)
    lock_limit_seconds: int = _setting(10, "limit for waiting on a row lock", minimum=1)
    redis_limit_seconds: float = _setting(5.0, "limit for one Redis command; above BRPOP's 1 s", minimum=2)

    # -- telling -------------------------------------------------------------------------------------------
    log_level: str = _setting("INFO", "DEBUG, INFO, WARNING or ERROR")
    log_format: str = _setting("auto", "json, human, or auto: human on a terminal")

    @property
    def owners(self) -> Settings:
        """The same, with the database as the owner of the tables reaches it."""
        return replace(self, database_url=self.migrate_database_url or self.database_url)

    @property
    def sends_mails(self) -> bool:
        """Whether there is a way for mails to leave."""
        return bool(self.smtp_url or self.mail_dir)


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
            values[f.name] = _read(f.name.upper(), raw, type(f.default), f.metadata["minimum"])
    return Settings(**{**values, **overrides})


_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


def _read(name: str, raw: str, kind: type, minimum: float | None) -> Any:
    if kind is bool:
        if raw.lower() not in _BOOLEANS:
            raise SettingsError(f"{name} is {raw!r}; it takes true or false.")
        return _BOOLEANS[raw.lower()]
    try:
        value = kind(raw)
    except ValueError:
        wanted = {int: "a whole number", float: "a number"}[kind]
        raise SettingsError(f"{name} is {raw!r}; it takes {wanted}.") from None
    if minimum is not None and not value >= minimum:
        raise SettingsError(f"{name} is {raw}; the least that it takes is {minimum}.")
    return value


@dataclass(frozen=True, kw_only=True)
class ClientSettings:
    """Where the client commands go: ``ORDERMILL_URL``, ``ORDERMILL_API_KEY``; ``ORDERMILL_DATA_DIR``."""

    url: str
    api_key: str
    data_dir: str


def load_client_settings(environ: Mapping[str, str] | None = None) -> ClientSettings:
    """Read the client's side of the environment."""
    source = os.environ if environ is None else environ
    return ClientSettings(
        url=source.get("ORDERMILL_URL", ""),
        api_key=source.get("ORDERMILL_API_KEY", ""),
        data_dir=source.get("ORDERMILL_DATA_DIR", ""),
    )


def load_failpoints(environ: Mapping[str, str] | None = None) -> str:
    """Where the tests want this process to die: ``ORDERMILL_FAILPOINTS``. Nothing for an operator."""
    source = os.environ if environ is None else environ
    return source.get("ORDERMILL_FAILPOINTS", "")


def load_data_dir(environ: Mapping[str, str] | None = None) -> Path:
    """Where the embedded servers keep what is theirs: ``ORDERMILL_DATA_DIR``, else the usual place."""
    source = os.environ if environ is None else environ
    named = source.get("ORDERMILL_DATA_DIR", "")
    if named:
        return Path(named)
    if os.geteuid() == 0:
        return Path("/var/lib/ordermill")
    # The XDG base directories: a relative path there is to be ignored.
    home = Path(source.get("XDG_DATA_HOME", ""))
    return (home if home.is_absolute() else Path.home() / ".local" / "share") / "ordermill"


def environment_with(**values: str) -> dict[str, str]:
    """Our own environment with some variables set anew: what a child process of ours gets."""
    return {**os.environ, **values}
