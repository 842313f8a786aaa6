"""The feed of changes: no change of an order is ever missed, whatever is under way (contract §9)."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from shared import persistence
from shared.domain.order_changes import ChangeCursor, ChangeFilter, ChangePage, ChangePlace, From, NoPlace
from shared.persistence.core.database import autocommit, open_database, transaction
from shared.persistence.core.order_changes import mark_changed
from shared.persistence.orders.change_feed import begin_anew, find_changes, newest_change
from tests.support.orders import ADDRESS, line, order
from tests.support.until import until
from tests.support.written_orders import write_copies

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from tests.support.placed_orders import Shop

_WRITERS = 8
_TURNS = 25


@pytest.fixture
def shop(shop: Shop) -> Shop:
    """Order 1 is there, and whoever reads from now on has read it."""
    shop.place({"first": order()})
    return shop


@pytest.fixture
def engine(engine: Engine, shop: Shop) -> Engine:  # noqa: ARG001 - it has placed an order
    return engine


@dataclass
class Reader:
    """Reads the feed on, and keeps what it was told last of each order."""

    engine: Engine
    after: ChangeCursor | From = From.BEGINNING
    market_ids: frozenset[int] | None = None
    comments: dict[int, str | None] = field(default_factory=dict)

    def page(self, limit: int = 100) -> ChangePage:
        wanted = ChangeFilter(after=self.after, limit=limit, market_ids=self.market_ids)
        page = find_changes(self.engine, wanted, most_lines=10**6, most_bytes=10**9)
        assert isinstance(page, ChangePage), page
        self.after = page.cursor
        self.comments |= {one.number: one.comment for one in page.orders}
        return page

    def numbers(self, limit: int = 100) -> list[int]:
        """The numbers of a page, when whatever was under way before has ended."""
        all_ended(self.engine)
        return [one.number for one in self.page(limit).orders]

    def caught_up(self, limit: int = 100) -> list[int]:
        """The numbers of all pages, when whatever was under way before has ended."""
        all_ended(self.engine)
        return self.to_the_end(limit)

    def to_the_end(self, limit: int = 100) -> list[int]:
        """The numbers of all pages that there are."""
        numbers = []
        for _ in range(10_000):
            page = self.page(limit)
            numbers += [one.number for one in page.orders]
            if not page.more:
                return numbers
        raise AssertionError("the feed has no end")


def all_ended(engine: Engine) -> None:
    """Wait for what hides changes: transactions of other tests' databases are on the same server."""
    until(lambda: _hidden_count(engine) == 0, "nothing hides the changes that there are")


def _hidden_count(engine: Engine) -> int:
    with autocommit(engine) as connection:
        return int(connection.execute(_HIDDEN).scalar_one())


_HIDDEN = text("""
    SELECT count(*) FROM order_changes
    WHERE transaction_id >= CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)
""")


def written(engine: Engine, *numbers: int) -> None:
    with transaction(engine) as connection:
        write_copies(connection, numbers)


def test_the_feed_begins_with_the_first_order_and_goes_on_from_its_cursor(engine: Engine) -> None:
    reader = Reader(engine)
    assert reader.numbers() == [1]

    written(engine, 30, 20)
    written(engine, 10)

    assert reader.numbers() == [30, 20, 10]
    assert reader.numbers() == []
    assert Reader(engine).numbers() == [1, 30, 20, 10]


def test_a_page_of_each_size_leads_through_all_changes_once(engine: Engine) -> None:
    written(engine, *range(100, 2_350))
    written(engine, 7)
    whole = [1, *range(100, 2_350), 7]

    assert Reader(engine).caught_up(limit=1_000) == whole
    assert Reader(engine).caught_up(limit=999) == whole
    assert Reader(engine).caught_up(limit=7)[:50] == whole[:50]


def test_what_a_transaction_made_before_others_is_told_when_it_ends_and_so_are_theirs(engine: Engine) -> None:
    reader = Reader(engine)
    reader.caught_up()

    with engine.connect() as slow:
        write_copies(slow, [500])
        written(engine, 600)
        # It may yet be told something before 600: who had read 600 by now would never see it.
        assert reader.to_the_end() == []
        slow.commit()

    assert reader.caught_up() == [500, 600]


def test_a_transaction_that_only_reads_or_changes_other_tables_hides_nothing_that_was_before_it(
    engine: Engine,
) -> None:
    reader = Reader(engine)
    reader.caught_up()
    written(engine, 500)

    with engine.connect() as reading, engine.connect() as writing:
        reading.execute(text("SELECT * FROM orders")).all()
        writing.execute(text("UPDATE catalog_state SET version = version + 1"))

        assert reader.caught_up() == [500]


def test_what_is_written_behind_savepoints_is_of_its_transaction(engine: Engine) -> None:
    reader = Reader(engine)
    reader.caught_up()

    with engine.connect() as slow:
        with slow.begin_nested():
            write_copies(slow, [500])
        written(engine, 600)
        with slow.begin_nested():
            write_copies(slow, [501])
        taken_back = slow.begin_nested()
        write_copies(slow, [502])
        taken_back.rollback()
        assert reader.to_the_end() == []
        slow.commit()

    assert reader.caught_up() == [500, 501, 600]


def test_what_was_rolled_back_is_not_told(engine: Engine) -> None:
    reader = Reader(engine)
    reader.caught_up()

    with engine.connect() as connection:
        write_copies(connection, [500])
        connection.rollback()

    assert reader.caught_up() == []


def test_from_now_on_is_what_ends_later_and_whatever_was_under_way(engine: Engine) -> None:
    with engine.connect() as slow:
        write_copies(slow, [500])
        reader = Reader(engine, From.NOW)
        assert reader.numbers() == []
        slow.commit()
    written(engine, 600)

    assert reader.caught_up() == [500, 600]


def test_a_change_of_an_order_and_of_what_belongs_to_it_is_told_as_it_is_then(
    shop: Shop, engine: Engine
) -> None:
    number = shop.place({"later": order(createOnly=True)})["later"]["order"]
    reader = Reader(engine)
    all_ended(engine)
    assert [one.state for one in reader.page().orders] == ["created", "prepared"]

    shop.complete(number, comment="wrap it")
    all_ended(engine)
    completed = reader.page().orders
    shop.complete(number, payment={"auth": {"status": 1, "amount": 5}})
    all_ended(engine)
    paid = reader.page().orders
    with transaction(engine) as connection:
        mark_changed(connection, [1])

    assert [(one.number, one.state, one.comment) for one in completed] == [(number, "created", "wrap it")]
    assert [(one.number, len(one.payments)) for one in paid] == [(number, 1)]
    assert paid[0].modified_at > completed[0].modified_at > completed[0].created_at
    assert reader.numbers() == [1]


def test_an_order_that_changed_twice_is_told_once_in_a_page(engine: Engine) -> None:
    written(engine, 500)
    for _ in range(3):
        with transaction(engine) as connection:
            mark_changed(connection, [500, 1])

    assert Reader(engine).numbers() == [1, 500]


def test_a_reader_of_some_markets_is_told_of_theirs_and_comes_past_the_others(
    shop: Shop, engine: Engine
) -> None:
    american = {**ADDRESS, "country": "US", "state": "CA"}
    written(engine, *range(100, 130))
    [number] = shop.place({"us": order(address=american)})["us"]["orders"]
    written(engine, 200)
    reader = Reader(engine, market_ids=frozenset({2}))

    assert reader.numbers(limit=1) == [number]
    assert reader.caught_up(limit=1) == []
    assert Reader(engine, market_ids=frozenset()).numbers() == []


def test_a_page_has_no_more_than_fits_and_the_rest_follows(shop: Shop, engine: Engine) -> None:
    shop.place({f"k{n}": order(*[line("OAK-TABLE")] * 10, adjustStock=False) for n in range(4)})
    all_ended(engine)
    wanted = ChangeFilter(after=From.BEGINNING, limit=100)

    narrow = find_changes(engine, wanted, most_lines=25, most_bytes=10**9)
    narrower = find_changes(engine, wanted, most_lines=10**6, most_bytes=1)

    assert isinstance(narrow, ChangePage)
    assert isinstance(narrower, ChangePage)
    assert (len(narrow.orders), narrow.more) == (3, True)
    assert (len(narrower.orders), narrower.more) == (1, True)
    assert Reader(engine, narrow.cursor).numbers() == [4, 5]
    assert Reader(engine, narrower.cursor).numbers() == [2, 3, 4, 5]


def test_the_newest_change_is_the_last_that_may_be_read(engine: Engine) -> None:
    reader = Reader(engine)
    reader.caught_up()
    assert isinstance(reader.after, ChangeCursor)

    with engine.connect() as slow:
        write_copies(slow, [500])
        written(engine, 600)
        assert newest_change(engine) == reader.after.place
        slow.commit()

    all_ended(engine)
    newest = newest_change(engine)
    assert newest is not None
    assert newest > reader.after.place


@pytest.mark.parametrize(
    ("cursor", "why"),
    [
        (ChangeCursor(2, ChangePlace()), NoPlace.OTHER_FEED),
        (ChangeCursor(1, ChangePlace(10**15)), NoPlace.NOT_REACHED),
    ],
)
def test_a_cursor_that_is_not_of_this_feed_is_told(
    engine: Engine, cursor: ChangeCursor, why: NoPlace
) -> None:
    wanted = ChangeFilter(after=cursor, limit=1)

    assert find_changes(engine, wanted, most_lines=1, most_bytes=1) is why


def test_on_another_server_the_feed_begins_anew_with_all_orders_and_says_so(engine: Engine) -> None:
    written(engine, *range(100, 1_200))
    reader = Reader(engine)
    reader.caught_up()
    wanted = ChangeFilter(after=reader.after, limit=1)
    assert not begin_anew(engine)

    # What a dump has brought along: ids of transactions that are yet to come here.
    with transaction(engine) as connection:
        connection.execute(text("UPDATE change_feed SET server = 'elsewhere'"))
        connection.execute(text("UPDATE order_changes SET transaction_id = transaction_id + 1000000"))
    assert find_changes(engine, wanted, most_lines=1, most_bytes=1) is NoPlace.BEGINS_ANEW
    with engine.connect() as slow:
        write_copies(slow, [5_000])
        assert begin_anew(engine)
        slow.commit()

    assert find_changes(engine, wanted, most_lines=1, most_bytes=1) is NoPlace.OTHER_FEED
    assert Reader(engine).caught_up(limit=500) == [1, *range(100, 1_200), 5_000]
    assert not begin_anew(engine)


def test_orders_from_before_there_was_a_feed_are_its_beginning(engine: Engine) -> None:
    written(engine, *range(100, 1_200))
    found = ScriptDirectory(str(Path(persistence.__file__).parent / "migrations")).get_revision("0030")

    with engine.begin() as connection:
        with Operations.context(MigrationContext.configure(connection)):
            found.module.downgrade()
            found.module.upgrade()
        rows = connection.execute(text("SELECT transaction_id, numbers FROM order_changes ORDER BY id")).all()
        connection.rollback()

    assert {row.transaction_id for row in rows} == {0}
    assert sorted(number for row in rows for number in row.numbers) == [1, *range(100, 1_200)]
    assert rows[0].numbers[0] == 1


@dataclass
class Writer:
    """Makes and changes orders in transactions that overlap others', and takes some of it back."""

    engine: Engine
    number: int
    random: random.Random
    others: threading.Barrier

    def run(self) -> None:
        for turn in range(_TURNS):
            with self.engine.connect() as connection:
                self._write(connection, turn)
                # All are open at once, and end in whatever order.
                self.others.wait(60)
                if self.random.random() < 0.2:
                    connection.rollback()
                else:
                    connection.commit()

    def _write(self, connection: Connection, turn: int) -> None:
        first = 10_000 * (self.number + 1) + 10 * turn
        write_copies(connection, range(first, first + 3))
        for own in range(3, 6):
            savepoint = connection.begin_nested()
            write_copies(connection, [first + own])
            if self.random.random() < 0.3:
                savepoint.rollback()
            else:
                savepoint.commit()
        earlier = 10_000 * (self.number + 1) + 10 * self.random.randrange(turn + 1)
        connection.execute(
            text("UPDATE orders SET comment = :comment WHERE number BETWEEN :first AND :first + 9"),
            {"comment": f"turn {turn}", "first": earlier},
        )


def test_eight_writers_and_a_reader_that_comes_again_end_with_the_same_orders(shop: Shop) -> None:
    settings = shop.api.settings
    engine = open_database(settings, "writers", pool_size=_WRITERS)
    others = threading.Barrier(_WRITERS)
    writers = [Writer(engine, n, random.Random(n), others) for n in range(_WRITERS)]  # noqa: S311 - no secret
    told: dict[int, str | None] = {}
    after: ChangeCursor | From = From.BEGINNING
    with ThreadPoolExecutor(_WRITERS) as pool:
        running = [pool.submit(writer.run) for writer in writers]
        last = False
        while not last:
            last = all(one.done() for one in running)
            if last:
                all_ended(shop.api.engine)
            # With nothing but its cursor, as after a restart.
            own = open_database(settings, "reader", pool_size=1)
            reader = Reader(own, after)
            reader.to_the_end(limit=random.Random(len(told)).choice([1, 7, 100]))  # noqa: S311 - no secret
            told, after = told | reader.comments, reader.after
            own.dispose()
        for one in running:
            one.result()
    engine.dispose()

    with shop.api.engine.connect() as connection:
        rows = connection.execute(text("SELECT number, comment FROM orders")).all()
    assert len(rows) > 500
    assert told == {row.number: row.comment for row in rows}
