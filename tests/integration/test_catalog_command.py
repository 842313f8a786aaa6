"""ordermill catalog, against the real PostgreSQL."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from cli.commands.catalog import sample_catalog
from cli.main import main
from tests.support.catalog_files import execute, exported, put, rows
from tests.support.catalogs import FILE_CATALOG

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Engine

    from shared.settings import Settings


@pytest.fixture
def catalog(settings: Settings) -> Callable[..., Result]:
    runner = CliRunner(env={"DATABASE_URL": settings.database_url})
    return lambda *words, stdin=None: runner.invoke(main, ["catalog", *words], input=stdin)


def test_load_tells_what_it_did(catalog: Callable[..., Result], tmp_path: Path) -> None:
    path = tmp_path / "shop.json"
    path.write_text(json.dumps(FILE_CATALOG))

    told, as_json = catalog("load", str(path)), catalog("load", str(path), "--json")

    assert (told.exit_code, told.stdout) == (0, "")
    assert "allocationRules" in told.stderr
    summary = json.loads(as_json.stdout)
    assert (summary["changed"], summary["version"]) == (False, 1)
    assert summary["lists"]["items"] == {"inserted": 0, "changed": 0, "unchanged": 2}


def test_load_reads_standard_input(catalog: Callable[..., Result], engine: Engine) -> None:
    done = catalog("load", "-", stdin=json.dumps(FILE_CATALOG))

    assert done.exit_code == 0
    assert rows(engine, "SELECT count(*) FROM items") == [(2,)]


def test_the_sample_catalog_has_what_the_example_of_the_seed_orders(
    catalog: Callable[..., Result], engine: Engine
) -> None:
    done = catalog("load", "--demo")

    assert done.exit_code == 0, done.output
    ordered = "SELECT count(*) FROM items WHERE active AND (ean = 'ABCDEFGHIJKL' OR sku = 'SKUASKUBSKUC')"
    assert rows(engine, ordered) == [(2,)]
    assert rows(engine, "SELECT DISTINCT split FROM allocation_rules ORDER BY 1") == [
        ("availability",),
        ("none",),
        ("warehouse",),
    ]
    assert rows(engine, "SELECT count(*) FROM markets WHERE countries && '{SE,DE,US}'") == [(2,)]
    assert json.loads(sample_catalog())["items"][0]["sku"] == "SKUASKUBSKUC"


def test_a_faulty_file_is_not_loaded_and_every_fault_is_told(
    catalog: Callable[..., Result], engine: Engine
) -> None:
    faulty = {
        **FILE_CATALOG,
        "items": [{"sku": "A", "prices": {"EUR": "1.234", "YEN": 1}}, {"sku": "B", "stok": {}}],
    }

    done = catalog("load", "-", stdin=json.dumps(faulty))

    assert (done.exit_code, done.stdout) == (2, "")
    assert "standard input is not loaded, nothing is changed: 4 things are wrong." in done.stderr
    assert "  items[0].prices.EUR: 1.234 has more than the 2 decimals of EUR" in done.stderr
    assert rows(engine, "SELECT count(*) FROM warehouses") == [(0,)]


def test_a_hundred_faults_are_cut_short(catalog: Callable[..., Result]) -> None:
    done = catalog("load", "-", stdin=json.dumps({"items": [{}] * 100}))

    assert done.stderr.count("is required") == 50
    assert "… and 50 more" in done.stderr


def test_what_is_no_json_is_refused_without_a_database() -> None:
    runner = CliRunner(env={"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"})

    done = runner.invoke(main, ["catalog", "load", "-"], input="{")

    assert done.exit_code == 2
    assert "line 1, column 2: this is not JSON" in done.stderr


@pytest.mark.parametrize("words", [(), ("--demo", "-"), ("no-such-file.json",)])
def test_load_wants_one_file_that_is_there(catalog: Callable[..., Result], words: tuple[str, ...]) -> None:
    assert catalog("load", *words, stdin="{}").exit_code == 2


def test_stock_that_could_not_go_so_low_is_told(catalog: Callable[..., Result], engine: Engine) -> None:
    put(engine, FILE_CATALOG)
    execute(engine, "UPDATE stock SET allocated = 3 WHERE physical = 3")

    done = catalog("load", "-", "--json", stdin='{"items":[{"sku":"RED-STOOL","stock":{"Main":1}}]}')

    assert done.exit_code == 0
    assert json.loads(done.stdout)["keptAtAllocated"] == {"count": 1, "skus": ["RED-STOOL"]}
    assert "Stock of 1 rows was not set below what orders have taken" in done.stderr


def test_export_writes_what_loads_back(
    catalog: Callable[..., Result], engine: Engine, tmp_path: Path
) -> None:
    put(engine, FILE_CATALOG)
    path = tmp_path / "all.json"

    to_file, to_output = catalog("export", str(path)), catalog("export")

    assert (to_file.exit_code, to_file.output) == (0, "")
    assert path.read_bytes() == to_output.stdout_bytes == exported(engine)
    assert [file.name for file in tmp_path.iterdir()] == ["all.json"]
    assert json.loads(catalog("load", str(path), "--json").stdout)["changed"] is False


def test_export_into_a_folder_that_is_not_there_fails(catalog: Callable[..., Result], tmp_path: Path) -> None:
    done = catalog("export", str(tmp_path / "missing" / "all.json"))

    assert done.exit_code == 2
    assert "all.json cannot be written: No such file or directory." in done.stderr
