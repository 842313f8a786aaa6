"""What a batch is sent with beside its orders: told of its job, found by, kept by a retry (contract §5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import pytest

from tests.support.orders import line, order
from tests.support.placed_orders import Shop, told

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.support.api import ApiClient

BATCH = {"a": order(line("BRASS-LAMP"))}
BAD: dict[str, Any] = {"a": {}}


def accept(api: ApiClient, *query: tuple[str, str], batch: Any = None, **headers: str) -> dict[str, Any]:
    """Hand in a batch with these parameters; gives its job."""
    answer = api.post(batch or BATCH, f"?{urlencode(query)}", Prefer="respond-async", **headers)
    assert answer.status_code == 202, answer.data
    return told(answer)


def listed(api: ApiClient, *query: tuple[str, str], key: str = "") -> list[str]:
    """The ids of the jobs that a list has, page by page."""
    ids: list[str] = []
    path = f"/v1/jobs?{urlencode(query)}"
    while path:
        page = told(api.get(path, key))
        ids += [job["id"] for job in page["jobs"]]
        path = page["next"] or ""
    return ids


def test_a_job_tells_the_reference_and_the_labels_that_it_was_sent_with(module_api: ApiClient) -> None:
    job = accept(
        module_api,
        ("label", "shop:se"),
        ("reference", "run 42 åäö"),
        ("label", "url:https://x.example/?a=b"),
        ("label", "b:1"),
    )

    assert job["reference"] == "run 42 åäö"
    assert job["labels"] == {"b": "1", "shop": "se", "url": "https://x.example/?a=b"}
    assert told(module_api.get(f"/v1/jobs/{job['id']}")) == job


def test_a_job_without_options_tells_that_it_has_none(module_api: ApiClient) -> None:
    job = accept(module_api)

    assert {name: job[name] for name in ("reference", "labels", "ordered", "maxFailed", "notBefore")} == {
        "reference": None,
        "labels": {},
        "ordered": False,
        "maxFailed": None,
        "notBefore": None,
    }


def test_jobs_are_listed_by_reference_and_by_all_of_several_labels(api: ApiClient) -> None:
    both = accept(api, ("label", "shop:se"), ("label", "day:1"), ("reference", "r"))["id"]
    one = accept(api, ("label", "shop:se"), ("label", "day:2"))["id"]
    accept(api, ("label", "shop:no"), ("reference", "R"))
    accept(api)

    assert listed(api, ("label", "shop:se")) == [one, both]
    assert listed(api, ("label", "shop:se"), ("label", "day:1")) == [both]
    assert listed(api, ("label", "shop:se"), ("reference", "r")) == [both]
    assert listed(api, ("reference", "r")) == [both]
    assert listed(api, ("label", "shop:se"), ("label", "day:3")) == []
    assert listed(api, ("label", "shop:s")) == []


def test_the_next_page_is_of_the_same_labels(api: ApiClient) -> None:
    ids = [accept(api, ("label", "shop:se"), ("label", f"odd:{n % 2}"))["id"] for n in range(6)]

    found = listed(api, ("label", "shop:se"), ("label", "odd:1"), ("limit", "1"))

    assert found == [ids[5], ids[3], ids[1]]


def test_nobody_finds_jobs_of_somebody_else_by_their_labels(api: ApiClient) -> None:
    job = accept(api, ("label", "shop:se"), ("reference", "r"))["id"]
    stranger = api.new_key("Stranger", "orders:read")
    auditor = api.new_key("Auditor", "jobs:read-all")

    for parameter in (("label", "shop:se"), ("reference", "r")):
        assert listed(api, parameter, key=stranger) == []
        assert listed(api, parameter, key=auditor) == [job]


def test_small_batches_that_share_a_commit_keep_each_their_own(api: ApiClient) -> None:
    with api.worker():
        for n in range(3):
            answer = api.post(BATCH, f"?label=n:{n}&reference=r{n}")
            assert answer.status_code == 200, answer.data

    for n in range(3):
        [job] = listed(api, ("label", f"n:{n}"), ("reference", f"r{n}"))
        assert job


def test_the_same_batch_with_another_option_is_another_request(module_api: ApiClient) -> None:
    def post(query: str) -> TestResponse:
        return module_api.post(BATCH, query, Prefer="respond-async", Idempotency_Key="options")

    first = post("?reference=r&label=a:1&label=b:2")
    same = [post(query) for query in ("?label=b:2&label=a:1&reference=r", "?label=b:2&reference=r&label=a:1")]
    others = [
        post(query)
        for query in (
            "",
            "?reference=r",
            "?reference=r&label=a:1",
            "?reference=r&label=a:1&label=b:3",
            "?reference=r&label=a:1&label=b:2&maxFailed=0",
            "?reference=r&label=a:1&label=b:2&notBefore=2026-01-01",
            "?reference=r&label=a:1&label=b:2&ordered=true",
        )
    ]

    assert {told(answer)["id"] for answer in (first, *same)} == {told(first)["id"]}
    assert {answer.status_code for answer in others} == {422}


def test_a_text_in_one_option_is_not_taken_for_another_one(module_api: ApiClient) -> None:
    def post(query: str) -> int:
        answer = module_api.post(BATCH, query, Prefer="respond-async", Idempotency_Key="taken for another")
        return answer.status_code

    assert post("?ordered=true") == 202
    assert post("?reference=ordered") == 422


def retried(shop: Shop, path: str) -> dict[str, Any]:
    """Retry a job, and give the new one."""
    answer = shop.api.client.post(
        f"{path}/retry",
        data=b'{"all": true}',
        headers={
            "API-Authorization": shop.api.key,
            "Content-Type": "application/json",
            "Prefer": "respond-async",
        },
    )
    assert answer.status_code == 202, answer.data
    return told(answer)


def test_a_retry_is_told_and_decided_as_the_job_whose_orders_it_tries(shop: Shop) -> None:
    query = (("ordered", "true"), ("maxFailed", "7"), ("label", "shop:se"), ("reference", "r"))
    job = accept(shop.api, *query, batch=BAD)
    path = f"/v1/jobs/{job['id']}"
    shop.settled(path)

    again = retried(shop, path)

    for name in ("ordered", "maxFailed", "labels", "reference"):
        assert again[name] == job[name]
    assert told(shop.api.get(f"/v1/jobs/{again['id']}")) == again
    assert shop.api.rows("SELECT ordered FROM jobs WHERE id = :id", id=again["id"]) == [(True,)]


TOO_MANY = "&".join(f"label=n{n}:v" for n in range(17))
WRONG = [
    ("label=", "label: '' is no label; write name:value"),
    ("label=shop", "label: 'shop' is no label; write name:value"),
    ("label=:se", "label: ':se' is no label; write name:value"),
    ("label=shop:", "label: 'shop:' is no label; write name:value"),
    ("label=%20:se", "label: ' :se' is no label; write name:value"),
    (f"label={'n' * 65}:v", "has a name of 65 characters; 64 are the most"),
    (f"label=n:{'v' * 256}", "has a value of 256 characters; 255 are the most"),
    (f"label=n:{'v' * 10_000}", "has a value of 10000 characters; 255 are the most"),
    ("label=a%00b:c", "label: 'a\\x00b' holds a control character; leave it out"),
    ("label=a:b%0Ac", "label: 'b\\nc' holds a control character; leave it out"),
    ("label=a:b%C2%85c", "holds a control character; leave it out"),
    ("label=a:1&label=a:2", "label: 'a' stands more than once; send each name once"),
    ("label=a:1&label=a:1", "label: 'a' stands more than once; send each name once"),
    (TOO_MANY, "label: has 17 elements; 16 are the most"),
    ("reference=", "reference: is empty"),
    ("reference=%20", "reference: is empty"),
    (f"reference={'r' * 256}", "has 256 characters; 255 are the most"),
    ("reference=a%00", "holds U+0000, which cannot be stored; leave it out"),
    ("reference=a%0Ab", "reference: 'a\\nb' holds a control character; leave it out"),
    ("reference=a&reference=b", "reference: stands more than once; send it once"),
    ("References=a", "is no parameter of"),
]
IN_A_BATCH = [
    ("atomic=true&maxFailed=1", "atomic: contradicts maxFailed"),
    ("maxFailed=0&atomic=1", "nothing is left to be cancelled; send one of the two"),
    ("validateOnly=yes", "validateOnly: 'yes' is not a boolean; write true or false"),
    ("validateOnly=true&validateOnly=true", "validateOnly: stands more than once; send it once"),
    ("atomic=all", "atomic: 'all' is not a boolean; write true or false"),
    ("uniqueKeys=", "uniqueKeys: '' is not a boolean; write true or false"),
    ("maxFailed=", "maxFailed: '' is not a whole number"),
    ("maxFailed=-1", "maxFailed: '-1' is not in 0..1000000000"),
    ("maxFailed=1.5", "maxFailed: '1.5' is not a whole number"),
    ("maxFailed=10%25", "maxFailed: '10%' is not a whole number"),
    ("maxFailed=1000000001", "maxFailed: '1000000001' is not in 0..1000000000"),
    ("maxFailed=1&maxFailed=1", "maxFailed: stands more than once; send it once"),
    ("notBefore=", "notBefore: '' is not a date"),
    ("notBefore=soon", "notBefore: 'soon' is not a date"),
    ("notBefore=2026-02-30", "notBefore: '2026-02-30' is not a date"),
    ("notBefore=2026-11-27T10:00:00+01:00", "in a query string, a + is written %2B"),
    ("notBefore=9999-12-31", "notBefore: '9999-12-31' is more than 7 days ahead"),
    ("notBefore=2026-01-01&notBefore=2026-01-01", "notBefore: stands more than once; send it once"),
    ("ordered=perhaps", "ordered: 'perhaps' is not a boolean; write true or false"),
    ("ordered=", "ordered: '' is not a boolean; write true or false"),
    ("ordered=true&ordered=false", "ordered: stands more than once; send it once"),
    ("status=ok", "it knows ordered"),
]


def ids_of(cases: list[tuple[str, str]]) -> list[str]:
    return [query[:40] for query, _ in cases]


@pytest.mark.parametrize(("query", "said"), [*WRONG, *IN_A_BATCH], ids=ids_of([*WRONG, *IN_A_BATCH]))
def test_an_option_in_a_wrong_form_is_told_by_name_with_what_is_allowed(
    module_api: ApiClient, query: str, said: str
) -> None:
    jobs = module_api.job_count()

    answer = module_api.post(BATCH, f"?{query}")

    assert (answer.status_code, module_api.job_count()) == (400, jobs)
    assert said in told(answer)["msg"]
    assert told(answer)["errors"]


@pytest.mark.parametrize(("query", "said"), WRONG, ids=ids_of(WRONG))
def test_a_list_is_not_asked_for_by_what_no_job_can_have(
    module_api: ApiClient, query: str, said: str
) -> None:
    answer = module_api.get(f"/v1/jobs?{query}")

    assert answer.status_code == 400
    assert said in told(answer)["msg"]


@pytest.mark.parametrize(
    "query",
    [
        "&".join(f"label=n{n}:v" for n in range(16)),
        f"label={'n' * 64}:{'v' * 255}",
        f"label={quote('färg:röd:blå')}",
        f"reference={quote('é' * 255)}",
        "ordered=1",
        "ordered=FALSE",
        "maxFailed=0",
        "maxFailed=1000000000",
        "notBefore=2000-01-01",
        "notBefore=0001-01-01",
    ],
)
def test_an_option_up_to_its_bounds_is_taken(module_api: ApiClient, query: str) -> None:
    assert module_api.post(BATCH, f"?{query}", Prefer="respond-async").status_code == 202


def test_no_other_path_that_takes_orders_has_these_options(module_api: ApiClient) -> None:
    for path in ("/v1/order", "/v1/order/7"):
        answer = module_api.client.post(
            f"{path}?reference=r",
            data=b"{}",
            headers={"API-Authorization": module_api.key, "Content-Type": "application/json"},
        )
        assert answer.status_code == 400
