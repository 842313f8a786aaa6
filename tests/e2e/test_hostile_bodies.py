"""Bodies that are made to hurt, through a real gunicorn: each costs bounded time and memory, and no more."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import orjson
import pytest

from shared.settings import Settings
from tests.support.api_process import Answer, ApiProcess, MemoryWatch, open_api_process
from tests.support.catalog_files import put
from tests.support.catalogs import SMALL_CATALOG

MIB = 1 << 20
MAX_BODY_BYTES = 16 * MIB
# docs/security.md: what a body may cost in memory at most, beside what the process has anyway.
BOUND_BYTES = 4 * MAX_BODY_BYTES
SECONDS = 10
ORDER = b'{"address":{"country":"SE","email":"asa@example.com"},"products":[{"sku":"RED-STOOL","qty":1}]}'


@pytest.fixture(scope="module")
def api(module_settings: Settings) -> Iterator[ApiProcess]:
    with open_api_process(module_settings, MAX_BODY_BYTES=str(MAX_BODY_BYTES)) as made:
        put(made.engine, SMALL_CATALOG)
        # The first batch imports and connects; that is no cost of a hostile one.
        made.post(b'{"first":%b}' % ORDER, "Prefer: respond-async")
        yield made


def send(api: ApiProcess, body: bytes, *lines: str) -> Answer:
    """Post a body, hold the bounds against what it cost, and see that the process lives on."""
    before = api.memory_bytes()
    with MemoryWatch(api) as watch:
        answer = api.post(body, "Prefer: respond-async", *lines)
    assert answer.seconds < SECONDS
    assert watch.most_bytes - before < BOUND_BYTES
    assert answer.headers["Content-Type"] == "application/json"
    assert api.process.poll() is None
    assert api.get("/healthz").status == 200
    return answer


def refused(api: ApiProcess, status: int, body: bytes, *lines: str) -> str:
    jobs = api.job_count()
    answer = send(api, body, *lines)
    assert answer.status == status, answer.body[:200]
    assert api.job_count() == jobs
    assert (answer.json["status"], answer.json["code"]) == ("no", -7)
    return str(answer.json["msg"])


def nested(levels: int) -> dict[str, bytes]:
    return {
        "arrays": b"[" * levels + b"]" * levels,
        "objects": b'{"a":' * levels + b"1" + b"}" * levels,
        "unclosed": b"[" * levels,
        "mixed": b'[{"a":' * (levels // 2) + b"1" + b"}]" * (levels // 2),
    }


@pytest.mark.parametrize("kind", nested(2))
@pytest.mark.parametrize("where", ["top", "order", "value"])
def test_a_hundred_thousand_levels_are_400(api: ApiProcess, kind: str, where: str) -> None:
    deep = nested(100_000)[kind]
    body = {"top": deep, "order": b'{"a":%b}' % deep, "value": b'{"a":{"comment":%b}}' % deep}[where]

    refused(api, 400, body)


def test_a_million_digits_cost_only_their_own_order(api: ApiProcess) -> None:
    digits = b"9" * 1_000_000
    quantity = ORDER.replace(b'"qty":1', b'"qty":%b' % digits)
    number = b'{"orderNumber":%b,%b' % (digits, ORDER[1:])
    fraction = b'{"shippingValue":0.%b,%b' % (digits, ORDER[1:])
    text = b'{"orderNumber":"%b",%b' % (digits, ORDER[1:])
    exponent = b'{"shippingValue":1e%b,%b' % (b"9" * 1000, ORDER[1:])
    orders = b'"q":%b,"n":%b,"f":%b,"t":%b,"e":%b,"good":%b' % (
        quantity,
        number,
        fraction,
        text,
        exponent,
        ORDER,
    )

    outcomes = api.outcomes(send(api, b"{%b}" % orders))

    assert {key: outcome.get("code") for key, outcome in outcomes.items()} == {
        "q": -7,
        "n": -7,
        "f": -7,
        "t": -7,
        "e": -7,
        "good": None,
    }
    assert all(len(str(outcome)) < 2_000 for outcome in outcomes.values())


def test_a_gzip_bomb_is_413_before_it_has_gone_off(api: ApiProcess) -> None:
    bomb = _bomb(128 * MIB)
    assert len(bomb) < MIB

    assert "after inflating" in refused(api, 413, bomb, "Content-Encoding: gzip")


def test_bombs_within_bombs_are_not_opened(api: ApiProcess) -> None:
    refused(api, 400, gzip.compress(_bomb(64 * MIB)), "Content-Encoding: gzip")
    refused(api, 415, _bomb(MIB), "Content-Encoding: gzip, gzip")


def test_endless_empty_gzip_members_are_400(api: ApiProcess) -> None:
    refused(api, 400, gzip.compress(b"") * 500_000, "Content-Encoding: gzip")


def test_gzip_that_is_cut_short_or_is_none_is_400(api: ApiProcess) -> None:
    whole = gzip.compress(b'{"a":%b}' % ORDER)

    refused(api, 400, whole[:-4], "Content-Encoding: gzip")
    refused(api, 400, whole[:-8] + b"\x00" * 8, "Content-Encoding: gzip")
    refused(api, 400, b'{"a":{}}', "Content-Encoding: gzip")


def test_a_million_keys_are_413_without_being_kept(api: ApiProcess) -> None:
    body = b"{%b}" % b",".join(b'"%d":0' % number for number in range(1_000_000))

    assert "maxOrders" in refused(api, 413, body)


def test_a_million_keys_within_one_order_are_its_own_affair(api: ApiProcess) -> None:
    members = b",".join(b'"%d":0' % number for number in range(300_000))
    body = b'{"wide":{%b},"good":%b}' % (members, ORDER)

    outcomes = api.outcomes(send(api, body))

    assert outcomes["wide"]["status"] == "no"
    assert outcomes["good"]["status"] == "ok"


def test_one_key_of_a_million_characters_is_413(api: ApiProcess) -> None:
    assert "maxKeyChars" in refused(api, 413, b'{"%b":{}}' % (b"k" * 1_000_000))


def test_keys_that_differ_only_by_normalisation_stay_different(api: ApiProcess) -> None:
    keys = ["\u00e9", "e\u0301", "\u212b", "\u00c5", "A\u030a", "ﬁ", "fi", "", "\x00", "a", "A", " a", "a "]

    outcomes = api.outcomes(send(api, orjson.dumps(dict.fromkeys(keys, 1))))

    assert list(outcomes) == keys


def test_names_that_mean_something_to_a_language_mean_nothing(api: ApiProcess) -> None:
    names = ["__proto__", "constructor", "prototype", "__class__", "__init__", "toString", "$ref", "@type"]
    poisoned = (
        ORDER.replace(b"RED-STOOL", b"BRASS-LAMP")[:-1]
        + b',"__proto__":{"admin":true},"constructor":{"prototype":{}},"__class__":"os"}'
    )
    body = b"{%b}" % b",".join(b'"%b":%b' % (name.encode(), poisoned) for name in names)

    outcomes = api.outcomes(send(api, body))

    assert list(outcomes) == names
    assert {outcome["status"] for outcome in outcomes.values()} == {"ok"}


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":{}',
        b'{"a":{}}}',
        b'{"a":{}} x',
        b'{"a":NaN}',
        b'{"a":-Infinity}',
        b'{"a":"\\ud800"}',
        b'{"\\ud800":{}}',
        b'{"a":"\xff"}',
        b'{"a":"\xed\xa0\x80"}',
        b'{"a":"\xc0\xaf"}',
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{\x00}\x00",
        b'{"a":{},"\\u0061":{}}',
        b"{'a':{}}",
        b'{"a":{},}',
        b'{"a":01}',
        b'{"a":"\n"}',
        b"\x00" * 1000,
        b"",
        b"a=b&c=d",
        b"\x1f\x8b\x08\x00",
    ],
)
def test_what_is_no_json_of_one_meaning_is_400(api: ApiProcess, body: bytes) -> None:
    refused(api, 400, body)


def test_many_large_bodies_at_once_stay_within_their_sum(api: ApiProcess) -> None:
    at_once = 4
    order = b'{"comment":"%b"}' % (b"x" * (4 * MIB - 100))
    body = b'{"a":%b,"b":%b,"c":%b}' % (order, order, order)
    before = api.memory_bytes()

    with MemoryWatch(api) as watch, ThreadPoolExecutor(at_once) as pool:
        answers = list(pool.map(lambda body: api.post(body, "Prefer: respond-async"), [body] * at_once))

    assert {answer.status for answer in answers} == {202}
    assert watch.most_bytes - before < at_once * BOUND_BYTES
    assert api.get("/healthz").status == 200


def test_an_ordinary_batch_works_after_all_that(api: ApiProcess) -> None:
    outcomes = api.outcomes(send(api, b'{"good":%b}' % ORDER.replace(b"RED-STOOL", b"BRASS-LAMP")))

    assert outcomes["good"]["status"] == "ok"


def _bomb(inflated_bytes: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    piece = b" " * MIB
    return b"".join([packer.compress(piece) for _ in range(inflated_bytes // MIB)]) + packer.flush()
