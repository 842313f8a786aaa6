"""The catalog file as text: what it says becomes rows, what is wrong with it becomes sentences."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.catalog_file import BuyerRow, CatalogFile, CatalogRefusedError
from shared.schemas.catalog import catalog_text, read_catalog

STOCKHOLM = ZoneInfo("Europe/Stockholm")


def quietly(_step: str, _done: int, _total: int) -> None:
    pass


def read(text: str | bytes) -> CatalogFile:
    return read_catalog(text.encode() if isinstance(text, str) else text, STOCKHOLM, quietly)


def faults_of(catalog: dict[str, Any]) -> list[str]:
    return read(json.dumps(catalog)).faults


def errors_of(text: str | bytes) -> tuple[str, ...]:
    with pytest.raises(CatalogRefusedError) as refused:
        read(text)
    return refused.value.faults


def test_an_item_is_read_with_exact_money() -> None:
    lamp = '{"sku":"BRASS-LAMP","id":"10","active":1,"prices":{"EUR":14.10,"USD":"5"},"stock":{"Main":7.0}}'

    catalog = read(f'{{"items":[{lamp}]}}')

    (item,) = catalog.items
    assert catalog.faults == []
    assert (item.at, item.id, item.sku, item.active) == (0, 10, "BRASS-LAMP", True)
    assert item.prices == {"EUR": Decimal("14.10"), "USD": Decimal(5)}
    assert item.stock == {"Main": 7}


def test_a_row_says_what_it_names_beside_the_defaults_of_what_it_leaves_out_or_clears() -> None:
    catalog = read(
        '{"items":[{"sku":"A"},{"sku":"B","ean":null,"markets":null,"active":null,"prices":null}]}'
    )

    first, second = catalog.items

    assert catalog.faults == []
    assert first[4:] == (None, None, "", "", "", "", True, None, {}, {})
    assert second[4:] == (None, None, "", "", "", "", True, None, None, {})
    assert sorted(first.named) == ["sku"]
    assert sorted(second.named) == ["active", "ean", "markets", "prices", "sku"]


def test_an_item_of_no_markets_is_not_one_of_every_market() -> None:
    catalog = read('{"items":[{"sku":"A","markets":[]}]}')

    assert catalog.items[0].markets == ()


def test_dates_are_in_the_zone_of_the_organisation_and_an_end_date_has_its_day_in_it() -> None:
    spring = {"name": "Spring", "pricelist": "EUR", "percent": "10", "skus": ["A"]}
    dates = {"from": "2026-03-01", "to": "2026-05-31"}

    catalog = read(json.dumps({"campaigns": [{**spring, **dates}]}))

    (campaign,) = catalog.campaigns
    assert campaign.starts_at == datetime(2026, 2, 28, 23, tzinfo=UTC)
    assert campaign.ends_at == datetime(2026, 5, 31, 22, tzinfo=UTC)


def test_an_end_with_a_time_is_that_moment() -> None:
    spring = {"name": "S", "pricelist": "EUR", "percent": 10, "skus": ["A"], "to": "2026-05-31T12:00:00Z"}

    catalog = read(json.dumps({"campaigns": [spring]}))

    assert catalog.campaigns[0].ends_at == datetime(2026, 5, 31, 12, tzinfo=UTC)


def test_buyers_are_rows_of_their_account() -> None:
    catalog = read('{"accounts":[{"name":"Shop AB","buyers":[{"id":1,"name":"Eva","default":true}]}]}')

    assert catalog.accounts[0].buyers == [
        BuyerRow(frozenset({"id", "name", "default"}), 1, "Eva", is_default=True)
    ]


FAULTY_ITEMS = [
    (
        {"sku": "A", "prices": {"EUR": "1.0000000000000001"}},
        "items[0].prices.EUR: '1.0000000000000001' has more",
    ),
    ({"sku": "A", "prices": {"EUR": -1}}, "items[0].prices.EUR: -1 is below 0"),
    ({"sku": "A", "prices": {"EUR": 1e12}}, "items[0].prices.EUR: 1"),
    ({"sku": "A", "prices": {"My list": "ten"}}, "items[0].prices['My list']: 'ten' is not an amount"),
    ({"sku": "A", "prices": []}, "items[0].prices: [] is not an object"),
    ({"sku": "A", "stock": {"Main": 2.5}}, "items[0].stock.Main: 2.5 is not a whole number"),
    ({"sku": "A", "stock": {"Main": -1}}, "items[0].stock.Main: -1 is not in 0..2147483647"),
    ({"sku": "A", "stock": {"Main": 2**31}}, "items[0].stock.Main: 2147483648 is not in 0..2147483647"),
    ({"sku": "A", "id": 0}, "items[0].id: 0 is not in 1..9000000000000000"),
    ({"sku": "A", "id": True}, "items[0].id: true is not a whole number"),
    ({"ean": "1"}, "items[0].sku: is required"),
    ({"sku": ""}, "items[0].sku: is required, and is empty"),
    ({"sku": " A"}, "items[0].sku: ' A' has space around it"),
    ({"sku": "A\u200bB"}, "items[0].sku: 'A\\u200bB' has U+200B in it, which cannot be seen"),
    ({"sku": "A" * 201}, "items[0].sku: 'AAAA"),
    ({"sku": 5}, "items[0].sku: 5 is not a string"),
    ({"sku": "A", "skuu": 1}, "items[0].skuu: is unknown in an item; did you mean 'sku'?"),
    ({"sku": "A", "zzz": 1}, "items[0].zzz: is unknown in an item; there are: id, sku, ean"),
    ({"sku": "A", "markets": ["X", "X"]}, "items[0].markets[1]: 'X' is at [0] already"),
    ({"sku": "A", "active": "perhaps"}, "items[0].active: 'perhaps' is not a boolean"),
    ("A", "items[0]: 'A' is not an object"),
]


@pytest.mark.parametrize(("item", "fault"), FAULTY_ITEMS)
def test_a_fault_names_place_value_and_way_out(item: Any, fault: str) -> None:
    (told,) = faults_of({"items": [item]})

    assert told.startswith(fault)


FAULTY_OTHERS = [
    (
        {"pricelists": [{"name": "EUR", "currency": "EURO"}]},
        "pricelists[0].currency: 'EURO' is not an ISO 4217",
    ),
    (
        {"markets": [{"name": "M", "pricelist": "E", "allocationRule": "D", "countries": ["se"]}]},
        "write 'SE'",
    ),
    ({"allocationRules": [{"name": "D", "warehouses": []}]}, "allocationRules[0].warehouses: is empty"),
    (
        {"allocationRules": [{"name": "D", "warehouses": ["M"], "split": "half"}]},
        "'half' is no kind of split",
    ),
    (
        {"shippingOptions": [{"uri": "s", "name": "S", "countries": ["SE"], "price": {"KR": 1}}]},
        ".price.KR: 'KR'",
    ),
    ({"vouchers": [{"code": "A", "percent": 1, "amount": {"EUR": 1}}]}, "either percent or amount"),
    ({"vouchers": [{"code": "A", "percent": "100.01"}]}, "vouchers[0].percent: 100.01 is above 100"),
    ({"vouchers": [{"automatic": True, "percent": 1}]}, "has neither a code nor a name"),
    (
        {"accounts": [{"name": "A", "address": {"countri": "SE", "country": "SE"}}]},
        ".address.countri: is unknown",
    ),
    (
        {"accounts": [{"name": "A", "address": {"email": "a@b", "country": "SE"}}]},
        ".address.email: 'a@b' is not",
    ),
    (
        {"accounts": [{"name": "A", "buyers": [{"name": "a", "default": 1}, {"name": "b", "default": 1}]}]},
        "accounts[0].buyers[1].default: buyers[0] is the default already",
    ),
    (
        {"accounts": [{"name": "A", "buyers": [{"name": "a", "id": 1}, {"name": "b", "id": 1}]}]},
        "buyers[1].id: 1",
    ),
    (
        {"campaigns": [{"name": "A", "pricelist": "E", "percent": 1, "skus": ["a"], "from": "2026-02-30"}]},
        "campaigns[0].from: '2026-02-30' is not a date",
    ),
    (
        {"campaigns": [{"name": "A", "pricelist": "E", "percent": 1, "skus": ["a"], "to": "9999-12-31"}]},
        "campaigns[0].to: '9999-12-31' is the end of time",
    ),
    ({"items": {}}, "items: {} is not an array"),
    ({"itemz": []}, "itemz: is unknown in the catalog; did you mean 'items'?"),
]


@pytest.mark.parametrize(("catalog", "fault"), FAULTY_OTHERS)
def test_every_list_tells_its_faults(catalog: dict[str, Any], fault: str) -> None:
    (told,) = faults_of(catalog)

    assert fault in told


def test_names_that_stand_twice_name_both_places() -> None:
    twice = [{"sku": "A", "ean": "1", "id": 7}, {"sku": "B"}, {"sku": "A", "ean": "1", "id": "7"}]

    assert faults_of({"items": twice}) == [
        "items[2].sku: 'A' is the sku of items[0] already",
        "items[2].id: 7 is the id of items[0] already",
        "items[2].ean: '1' is the ean of items[0] already",
    ]


def test_all_faults_are_told_and_the_right_rows_are_kept() -> None:
    catalog = read('{"warehouses":[{"name":"Main","threshold":-1},{"name":"Shop"},7],"stok":[]}')

    assert len(catalog.faults) == 3
    assert [row.name for row in catalog.warehouses] == ["Shop"]
    assert catalog.written["warehouses"] == {"Main", "Shop"}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "line 1, column 1: this is not JSON"),
        ('{"items": [\n}', "line 2, column 1: this is not JSON"),
        ("[]", "a catalog is a JSON object of lists, not []"),
        ("null", "a catalog is a JSON object of lists, not null"),
        (b'{\n"a":"\xff"}', "line 2: byte 0xFF is not UTF-8"),
        (b'{"a":"\xed\xa0\x80"}', "line 1: byte 0xED is not UTF-8"),
        (
            '{"items":[{"sku":"\\ud800"}]}',
            "items[0].sku: '\\ud800' has a character in it that cannot be stored",
        ),
        ('{"items":[{"sku":"a\\u0000"}]}', "items[0].sku: 'a\\x00' has a character in it"),
        ('{"items":[{"prices":{"\\uDFFF":1}}]}', "items[0].prices: '\\udfff' has a character in it"),
        ('{"items":[{"prices":{"EUR":1,"EUR":2}}]}', "items[0].prices.EUR: stands twice in one object"),
        ('{"items":[{"prices":{"EUR":NaN}}]}', "NaN is not JSON"),
        ('{"items":[{"prices":{"EUR":-Infinity}}]}', "-Infinity is not JSON"),
        ('{"items":[],"items":[]}', "items: stands twice in one object"),
        ('{"a":' * 100_000, "arrays and objects are nested too deep"),
    ],
)
def test_text_that_cannot_be_read_is_refused_in_a_sentence(text: str | bytes, fault: str) -> None:
    (told,) = errors_of(text)

    assert told.startswith(fault)


@pytest.mark.parametrize("number", ["1e400", "1e9999999999999999999999", "9" * 5_000])
def test_numbers_beyond_all_measure_are_faults_of_their_field(number: str) -> None:
    catalog = read(f'{{"items":[{{"sku":"A","prices":{{"EUR":{number}}}}}]}}')

    (told,) = catalog.faults
    assert told.startswith("items[0].prices.EUR: ")


def test_a_byte_order_mark_and_astral_characters_are_fine() -> None:
    catalog = read(b'\xef\xbb\xbf{"items":[{"sku":"\\ud83d\\ude00"}]}')

    assert catalog.items[0].sku == "😀"


def test_a_refused_file_shows_fifty_faults_and_counts_the_rest() -> None:
    error = CatalogRefusedError([str(number) for number in range(1_053)])

    assert error.told()[49:] == ["49", "… and 1,003 more"]


def test_progress_of_reading_a_catalog_is_told_to_the_end() -> None:
    told: list[tuple[str, int, int]] = []
    rows = [{"sku": str(number)} for number in range(2_500)]

    read_catalog(json.dumps({"items": rows}).encode(), STOCKHOLM, lambda *step: told.append(step))

    assert ("checking", 2_000, 2_500) in told
    assert told[-1] == ("checking", 2_500, 2_500)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = (
    "id",
    "name",
    "sku",
    "uri",
    "code",
    "prices",
    "stock",
    "markets",
    "buyers",
    "address",
    "percent",
    "to",
)
LISTS = ("warehouses", "items", "vouchers", "accounts", "campaigns", "shippingOptions")


@given(
    st.dictionaries(st.sampled_from(LISTS), JSON | st.lists(st.dictionaries(st.sampled_from(FIELDS), JSON)))
)
def test_whatever_the_file_says_is_rows_or_sentences(catalog: dict[str, Any]) -> None:
    try:
        faults = read(json.dumps(catalog)).faults
    except CatalogRefusedError as refused:
        faults = list(refused.faults)

    assert all(isinstance(fault, str) and fault for fault in faults)


def test_a_catalog_is_written_a_row_a_line() -> None:
    lists = [("warehouses", ['{"id" : 1, "name" : "Åre"}', '{"id":2}']), ("items", []), ("markets", ["{}"])]

    text = b"".join(catalog_text(lists)).decode()

    assert text == '{\n"warehouses": [\n {"id":1,"name":"Åre"},\n {"id":2}\n],\n"markets": [\n {}\n]\n}\n'


def test_an_empty_catalog_is_an_empty_object() -> None:
    assert json.loads(b"".join(catalog_text([("items", [])]))) == {}
