"""keys create, rotate, list, revoke: who may call. A key is printed once, alone on standard output."""

from __future__ import annotations

import shlex
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
from shared.persistence.access.clients import ClientNameTakenError
from shared.persistence.access.keys import (
    KeyNameTakenError,
    create_api_key,
    list_api_keys,
    market_ids_by_name,
    revoke_api_key,
)
from shared.persistence.access.rotate import rotate_api_key

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from shared.persistence.access.keys import ListedKey

_NAME_MAX_CHARS: Final = 200
_MOST_DAYS: Final = 36_500
_KEEP_IT: Final = "Keep it: it cannot be shown again. Send it as API-Authorization."


@click.group()
def keys() -> None:
    """Create, rotate, list and revoke API keys. Each is one of a client's."""


@keys.command()
@click.option("--name", required=True, help="What the key is for; no two keys share a name.")
@click.option("--scopes", required=True, help=f"Separated by commas: {', '.join(sorted(SCOPES))}.")
@click.option(
    "--client",
    default="",
    help="Whose key it is, a client there is or a new one. [default: a new one of the key's name]",
)
@click.option("--markets", help="The only markets it is for, separated by commas. [default: all]")
@click.option(
    "--expires-in-days",
    type=click.IntRange(1, _MOST_DAYS),
    help="How long it is good for. [default: for ever]",
)
@data_dir_option
def create(
    name: str, scopes: str, client: str, markets: str | None, expires_in_days: int | None, data_dir: Path
) -> None:
    """Create a key and print it. It cannot be shown again: only its hash is kept.

    Jobs, Idempotency-Keys, prepared orders and the rate are the client's: all of its keys share them.
    """
    _check_name(name, "a key")
    if client:
        _check_name(client, "a client")
    wanted = _known_scopes(scopes)
    now = datetime.now(UTC)
    expires_at = None if expires_in_days is None else now + timedelta(days=expires_in_days)
    with database(data_dir) as (_, engine):
        market_ids = None if markets is None else _market_ids(engine, _split(markets))
        try:
            key = create_api_key(engine, name, wanted, market_ids, expires_at, now, client=client)
        except KeyNameTakenError:
            raise _name_taken(name) from None
        except ClientNameTakenError:
            raise NotDoneError(
                f"There is a client {name!r} already (`ordermill keys list` shows its keys): `--client "
                f"{shlex.quote(name)}` makes it a further key of that client; else choose another name."
            ) from None
    click.echo(key)
    click.echo(_KEEP_IT, err=True)


@keys.command()
@click.argument("name_or_prefix", metavar="NAME|PREFIX")
@click.option("--name", default="", help="The new key's name. [default: the other's, with a number]")
@click.option(
    "--expires-in-days",
    type=click.IntRange(1, _MOST_DAYS),
    help="How long it is good for. [default: as long as the other one was]",
)
@data_dir_option
def rotate(name_or_prefix: str, name: str, expires_in_days: int | None, data_dir: Path) -> None:
    """Give the client of a key a further one, with the same scopes and markets, and print it.

    The key that there is goes on working until it is revoked; whoever changes from one to the other stays
    the same client.
    """
    if name:
        _check_name(name, "a key")
    lasts = None if expires_in_days is None else timedelta(days=expires_in_days)
    with database(data_dir) as (_, engine):
        try:
            made = rotate_api_key(engine, name_or_prefix, datetime.now(UTC), name=name, lasts=lasts)
        except KeyNameTakenError as error:
            raise _name_taken(str(error)) from None
    if made is None:
        raise _no_such_key(name_or_prefix)
    click.echo(made.text)
    click.echo(
        f"{_KEEP_IT} It is named {made.name!r}, of client {made.client!r}. When nothing uses the other one"
        f" any more: `ordermill keys revoke {made.beside}`.",
        err=True,
    )


@keys.command("list")
@click.option("--client", default="", help="Only this client's. [default: all]")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@data_dir_option
def list_(client: str, as_json: bool, data_dir: Path) -> None:
    """List every key ever made by client, without its secret."""
    with database(data_dir) as (_, engine):
        names = {market_id: name for name, market_id in market_ids_by_name(engine).items()}
        listed = [key for key in list_api_keys(engine) if client in {"", key.client}]
        found = [_described(key, names) for key in listed]
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
            raise _no_such_key(name_or_prefix)
    click.echo(f"{name_or_prefix} is revoked.", err=True)


def _no_such_key(name_or_prefix: str) -> NotDoneError:
    return NotDoneError(f"No key has the name or prefix {name_or_prefix!r}; see `ordermill keys list`.")


def _name_taken(name: str) -> NotDoneError:
    return NotDoneError(
        f"A key is named {name!r} already (`ordermill keys list` shows it); choose another name."
    )


def _check_name(name: str, whose: str) -> None:
    if not name.strip() or name != name.strip() or not name.isprintable() or len(name) > _NAME_MAX_CHARS:
        raise NotDoneError(
            f"{name[:_NAME_MAX_CHARS]!r} cannot be {whose}'s name: that is 1 to {_NAME_MAX_CHARS} visible"
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
        "client": key.client,
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
    return [
        key["client"],
        key["name"],
        key["prefix"],
        key["state"],
        ", ".join(key["scopes"]),
        markets,
        expires,
    ]


def _table(found: Sequence[dict[str, Any]]) -> Table:
    table = Table("client", "name", "prefix", "state", "scopes", "markets", "expires", box=box.SIMPLE_HEAD)
    for key in found:
        table.add_row(*map(escape, _cells(key)))
    return table
