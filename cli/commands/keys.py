"""keys create, list and revoke: who may call the API. A key is printed once, alone on standard output."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import orjson
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.database import data_dir_option, database
from cli.errors import NotDoneError
from shared.domain.scopes import SCOPES, unknown_scopes
from shared.persistence.access.keys import (
    KeyNameTakenError,
    create_api_key,
    list_api_keys,
    market_ids_by_name,
    revoke_api_key,
)

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from shared.persistence.access.keys import ListedKey

_NAME_MAX_CHARS: Final = 200
_MOST_DAYS: Final = 36_500


@click.group()
def keys() -> None:
    """Create, list and revoke API keys."""


@keys.command()
@click.option("--name", required=True, help="What the key is for; no two keys share a name.")
@click.option("--scopes", required=True, help=f"Separated by commas: {', '.join(sorted(SCOPES))}.")
@click.option("--markets", help="The only markets it is for, separated by commas. [default: all]")
@click.option(
    "--expires-in-days",
    type=click.IntRange(1, _MOST_DAYS),
    help="How long it is good for. [default: for ever]",
)
@data_dir_option
def create(name: str, scopes: str, markets: str | None, expires_in_days: int | None, data_dir: Path) -> None:
    """Create a key and print it. It cannot be shown again: only its hash is kept."""
    _check_name(name)
    wanted = _known_scopes(scopes)
    now = datetime.now(UTC)
    expires_at = None if expires_in_days is None else now + timedelta(days=expires_in_days)
    with database(data_dir) as (_, engine):
        market_ids = None if markets is None else _market_ids(engine, _split(markets))
        try:
            key = create_api_key(engine, name, wanted, market_ids, expires_at, now)
        except KeyNameTakenError:
            raise NotDoneError(
                f"A key is named {name!r} already (`ordermill keys list` shows it); choose another name."
            ) from None
    click.echo(key)
    click.echo("Keep it: it cannot be shown again. Send it as API-Authorization.", err=True)


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@data_dir_option
def list_(as_json: bool, data_dir: Path) -> None:
    """List every key ever made, without its secret."""
    with database(data_dir) as (_, engine):
        names = {market_id: name for name, market_id in market_ids_by_name(engine).items()}
        found = [_described(key, names) for key in list_api_keys(engine)]
    if as_json:
        click.echo(orjson.dumps(found))
    elif sys.stdout.isatty():
        Console().print(_table(found))
    else:
        for key in found:
            click.echo("\t".join(_cells(key)))


@keys.command()
@click.argument("name_or_prefix", metavar="NAME|PREFIX")
@data_dir_option
def revoke(name_or_prefix: str, data_dir: Path) -> None:
    """Revoke a key for good, by its name or its prefix (om_ and eight characters). It stops at once."""
    with database(data_dir) as (_, engine):
        if not revoke_api_key(engine, name_or_prefix, datetime.now(UTC)):
            raise NotDoneError(
                f"No key has the name or prefix {name_or_prefix!r}; see `ordermill keys list`."
            )
    click.echo(f"{name_or_prefix} is revoked.", err=True)


def _check_name(name: str) -> None:
    if not name.strip() or name != name.strip() or not name.isprintable() or len(name) > _NAME_MAX_CHARS:
        raise NotDoneError(
            f"{name[:_NAME_MAX_CHARS]!r} cannot be a key's name: that is 1 to {_NAME_MAX_CHARS} visible"
            " characters without space around them."
        )


def _split(listed: str) -> list[str]:
    return [part.strip() for part in listed.split(",") if part.strip()]


def _known_scopes(listed: str) -> list[str]:
    wanted = _split(listed)
    known = ", ".join(sorted(SCOPES))
    if not wanted:
        raise NotDoneError(f"A key needs a scope at least. There are: {known}.")
    unknown = unknown_scopes(wanted)
    if unknown:
        named = ", ".join(map(repr, unknown))
        raise NotDoneError(f"No such scope: {named}. There are: {known}.")
    return wanted


def _market_ids(engine: Engine, wanted: Sequence[str]) -> list[int]:
    known = market_ids_by_name(engine)
    there_are = f"There are: {', '.join(known)}." if known else "No catalog is loaded yet."
    if not wanted:
        raise NotDoneError(f"--markets names none; leave it out for all. {there_are}")
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise NotDoneError(f"No such market: {', '.join(map(repr, unknown))}. {there_are}")
    return [known[name] for name in wanted]


def _described(key: ListedKey, markets: dict[int, str]) -> dict[str, Any]:
    return {
        "name": key.name,
        "prefix": key.prefix,
        "scopes": sorted(key.scopes),
        "markets": None if key.market_ids is None else sorted(markets[i] for i in key.market_ids),
        "state": key.state(datetime.now(UTC)),
        "createdAt": key.created_at,
        "expiresAt": key.expires_at,
        "revokedAt": key.revoked_at,
    }


def _cells(key: dict[str, Any]) -> list[str]:
    markets = "all" if key["markets"] is None else ", ".join(key["markets"])
    expires = "never" if key["expiresAt"] is None else f"{key['expiresAt']:%Y-%m-%d}"
    return [key["name"], key["prefix"], key["state"], ", ".join(key["scopes"]), markets, expires]


def _table(found: Sequence[dict[str, Any]]) -> Table:
    table = Table("name", "prefix", "state", "scopes", "markets", "expires", box=box.SIMPLE_HEAD)
    for key in found:
        table.add_row(*map(escape, _cells(key)))
    return table
