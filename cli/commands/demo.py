"""demo: what it does, told in a few lines, and checked while it is shown."""

from __future__ import annotations

import json
import time
import uuid
from contextlib import ExitStack
from datetime import timedelta
from http import HTTPStatus
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click
import msgspec
from rich.console import Console

from cli.client.connection import ServerConnection
from cli.client.follow import follow
from cli.client.outcomes import counts_by_code, read_job, read_outcomes
from cli.client.tables import counts_table
from cli.client.upload import JSON, upload_of
from cli.commands.catalog import sample_catalog
from cli.database import database
from cli.demo.goods import Goods, read_goods
from cli.demo.orders import Expected, make_batch, scarce_counts, surprises
from cli.demo.stack import LOG_NAME, last_lines, served
from cli.errors import NotDoneError
from cli.servers import temporary_data_dir
from cli.system.stop_signals import StopRequest
from shared.clock import utc_now
from shared.domain.scopes import ORDERS_READ, ORDERS_WRITE
from shared.persistence.access.keys import create_api_key
from shared.persistence.catalog.load import load_catalog
from shared.schemas.catalog import read_catalog

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from cli.client.outcomes import JobReport, Outcome

_SURPRISES_SHOWN = 5
# The example's second order is {"...": "..."}: one without products.
_EMPTY_ORDER = -3


@click.command()
@click.option(
    "--orders", default=2_000, show_default=True, type=click.IntRange(1, 100_000), help="In the batch."
)
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1), help="Worker processes.")
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the servers' data here.  [default: a temporary directory, removed in the end]",
)
def demo(orders: int, workers: int, data_dir: Path | None) -> None:
    """Show the whole walk on this machine: HTTP, a durable job, the queue, workers, outcomes.

    It starts what `ordermill serve` starts, loads a sample catalog, posts the example of the seed document
    and then a batch of generated orders, some of which must fail, and checks every outcome. Nothing is left
    running. Exits with 0 when all was as it must be, else with 2.
    """
    # SIGTERM, too, is a reason to stop in order.
    with ExitStack() as stack, StopRequest() as stop:
        directory = data_dir or stack.enter_context(temporary_data_dir())
        try:
            console = Console(highlight=False, markup=False, soft_wrap=True)
            console.print(
                f"Starting PostgreSQL, Redis, the API, {workers} worker processes and the scheduler."
            )
            with served(directory, workers, stop) as url:
                _show(console, directory, url, orders, fresh=data_dir is None)
            console.print("Nothing is left running.")
        except KeyboardInterrupt:
            raise NotDoneError("Stopped before the end; nothing is left running.") from None
        except NotDoneError as error:
            log = last_lines(directory / LOG_NAME)
            raise NotDoneError(f"{error.message}\n\nThe end of what it logged:\n{log}") from error


def _show(console: Console, directory: Path, url: str, orders: int, *, fresh: bool) -> None:
    """Show everything; ``fresh`` means that nothing was sold before. Raises NotDoneError."""
    console.print(f"They are up at {url}.")
    goods, key = _prepare(console, directory)
    with ServerConnection(url, key, console.print) as connection:
        number = _show_example(console, connection)
        batch = make_batch(orders, goods, number)
        job, outcomes = _show_batch(console, connection, batch)
    _check(console, batch, job, outcomes, goods, fresh=fresh)
    console.print("All was as it must be. Stopping everything.")


def _prepare(console: Console, directory: Path) -> tuple[Goods, str]:
    """Do what `ordermill catalog load` and `ordermill keys create` do; give the goods and the key."""
    catalog = sample_catalog()
    goods = read_goods(json.loads(catalog))
    now = utc_now()
    with database(directory) as (settings, engine):
        zone = ZoneInfo(settings.organisation_timezone)
        load_catalog(engine, read_catalog(catalog, zone, _quietly), _quietly)
        name = f"demo {now:%Y-%m-%d %H:%M:%S.%f}"
        key = create_api_key(engine, name, [ORDERS_WRITE, ORDERS_READ], None, now + timedelta(days=1), now)
    console.print("Loaded the sample catalog and made an API key.")
    return goods, key


def _show_example(console: Console, connection: ServerConnection) -> int:
    """Post the seed's own example, byte for byte, and give the number of the order that comes of it."""
    body = (resources.files("cli") / "samples" / "orders.json").read_bytes()
    console.print("\nPOST /v1/orders with the example of the seed document:\n")
    console.print_json(body.decode())
    begun = time.monotonic()
    answer = connection.post_batch(upload_of(body, JSON), wait=True, idempotency_key=str(uuid.uuid4()))
    console.print(f"\n{_status(answer)} after {_since(begun)}:\n")
    console.print_json(answer.text)
    found = msgspec.json.decode(answer.content, type=dict[str, dict[str, Any]])
    if found["x123"].get("status") != "ok" or found["a1"].get("code") != _EMPTY_ORDER:
        raise NotDoneError("The example was not answered as the seed document says.")
    return int(found["x123"]["orders"][0])


def _show_batch(
    console: Console, connection: ServerConnection, batch: Mapping[str, Expected]
) -> tuple[JobReport, dict[str, Outcome]]:
    """Post the batch as a job, follow it, and give both as they are in the end."""
    orders = {key: expected.order for key, expected in batch.items()}
    body = json.dumps(orders, ensure_ascii=False).encode()
    console.print(
        f"\nPOST /v1/orders with {len(batch):,} generated orders in one batch ({len(body):,} bytes):\n"
    )
    begun = time.monotonic()
    answer = connection.post_batch(upload_of(body, JSON), wait=False, idempotency_key=str(uuid.uuid4()))
    job = read_job(answer.content)
    console.print(f"{_status(answer)} after {_since(begun)}: job {job.id}")
    job = follow(connection, job, console)
    seconds = time.monotonic() - begun
    console.print(f"All are decided after {seconds:.1f} s, {len(batch) / seconds:,.0f} orders a second:")
    return job, read_outcomes(connection.get(f"/v1/jobs/{job.id}/results"))


def _check(
    console: Console,
    batch: Mapping[str, Expected],
    job: JobReport,
    outcomes: Mapping[str, Outcome],
    goods: Goods,
    *,
    fresh: bool,
) -> None:
    """Show the counts, and compare every outcome with what it must be. Raises NotDoneError."""
    counts = counts_by_code(outcomes)
    console.print(counts_table(counts))
    wrong = surprises(batch, outcomes)
    if (job.total, job.ok, job.failed) != (len(batch), counts.get(0, 0), len(batch) - counts.get(0, 0)):
        wrong.append(f"The job counts {job.ok:,} + {job.failed:,} of {job.total:,}, its results do not.")
    wanted, got = scarce_counts(batch, outcomes)
    if fresh and got != min(wanted, goods.scarce_units):
        wrong.append(f"{goods.scarce} was sold {got} times; there were {goods.scarce_units}.")
    if wrong:
        raise NotDoneError("\n".join(wrong[:_SURPRISES_SHOWN]))
    if wanted > got:
        console.print(f"{wanted} of them raced for the last {got} {goods.scarce}: {got} orders got one each.")


def _status(answer: httpx.Response) -> str:
    return f"{answer.status_code} {HTTPStatus(answer.status_code).phrase}"


def _since(begun: float) -> str:
    return f"{(time.monotonic() - begun) * 1000:,.0f} ms"


def _quietly(_step: str, _done: int, _total: int) -> None:
    """Show no progress: a sample takes no time."""
