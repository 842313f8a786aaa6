"""docs/catalog.md names every list of the catalog file, and every member of its rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from marshmallow import Schema, fields

from shared.schemas.catalog.lists import catalog_lists

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "catalog.md").read_text(encoding="utf-8")
LISTS = catalog_lists(ZoneInfo("UTC"))


def members(schema: Schema) -> Iterator[str]:
    for name, field in schema.fields.items():
        yield field.data_key or name
        inner = field.inner if isinstance(field, fields.List) else field
        if isinstance(inner, fields.Nested) and isinstance(inner.schema, Schema):
            yield from members(inner.schema)


@pytest.mark.parametrize("name", LISTS)
def test_every_member_of_every_list_is_on_the_page(name: str) -> None:
    _, _, rest = PAGE.partition(f"\n## {name}\n")
    section, _, _ = rest.partition("\n## ")
    told = set(re.findall(r"`(\w+)`", section))

    assert sorted(set(members(LISTS[name].schema)) - told) == []


def test_the_readme_leads_to_the_page() -> None:
    assert "(docs/catalog.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
