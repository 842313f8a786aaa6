"""Jobs are listed newest first, a client's own, page by page (contract §5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from sqlalchemy import text

from tests.support.orders import line, order
from tests.support.placed_orders import Shop, told

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

GOOD = order(line("BRASS-LAMP"))
BAD: dict[str, Any] = {}


@pytest.fixture(scope="module")
def jobs(module_shop: Shop) -> dict[str, str]:
    """A job in each state that it can be in, by state; oldest first."""
    shop, ids = module_shop, {}

    def accept(name: str, batch: dict[str, Any]) -> str:
        path = shop.api.post(batch, Prefer="respond-async").headers["Location"]
        ids[name] = path.rpartition("/")[2]
        return str(path)

    for name, batch in (
        ("succeeded", {"a": GOOD}),
        ("partially_succeeded", {"a": GOOD, "b": BAD}),
        ("failed", {"a": BAD}),
    ):
        shop.settled(accept(name, batch))
    path = accept("cancelled", {"a": GOOD})
    shop.api.client.post(f"{path}/cancel", headers={"API-Authorization": shop.api.key})
    accept("cancelling", {"a": GOOD})
    accept("running", {"a": BAD, "b": GOOD})
    accept("queued", {"a": GOOD})
    prepared = shop.place({"a": order(line("BRASS-LAMP"), createOnly=True)})["a"]["order"]
    completion = shop.api.client.post(
        f"/v1/order/{prepared}",
        data=b"{}",
        headers={
            "API-Authorization": shop.api.key,
            "Content-Type": "application/json",
            "Prefer": "respond-async",
        },
    )
    ids["completion"] = completion.headers["Location"].rpartition("/")[2]
    shop.settled(completion.headers["Location"])
    with shop.api.engine.begin() as connection:
        connection.execute(
            text("UPDATE jobs SET cancel_requested_at = now() WHERE id = :id"), {"id": ids["cancelling"]}
        )
        connection.execute(
            text(
                "UPDATE slices SET attempts = 1, started_at = now() - interval '1 minute' WHERE job_id = :id"
            ),
            {"id": ids["running"]},
        )
    return ids


def listed(shop: Shop, query: str = "", key: str = "") -> list[dict[str, Any]]:
    response = shop.api.get(f"/v1/jobs{query}", key)
    assert response.status_code == 200, response.data
    found: list[dict[str, Any]] = told(response)["jobs"]
    return found


def test_jobs_are_listed_newest_first_as_each_of_them_tells_of_itself(
    module_shop: Shop, jobs: dict[str, str]
) -> None:
    found = listed(module_shop)

    ids = [job["id"] for job in found]
    assert ids == sorted(ids, reverse=True)
    assert set(jobs.values()) <= set(ids)
    for job in found:
        assert job == told(module_shop.api.get(f"/v1/jobs/{job['id']}"))


@pytest.mark.parametrize(
    "state",
    ["queued", "running", "cancelling", "cancelled", "partially_succeeded", "failed"],
)
def test_jobs_are_listed_by_state(module_shop: Shop, jobs: dict[str, str], state: str) -> None:
    assert [(job["id"], job["state"]) for job in listed(module_shop, f"?state={state}")] == [
        (jobs[state], state)
    ]


def test_every_job_is_in_the_list_of_its_state_and_in_no_other(
    module_shop: Shop, jobs: dict[str, str]
) -> None:
    assert jobs
    states = ("queued", "running", "cancelling", "cancelled", "succeeded", "partially_succeeded", "failed")
    found = [(job["id"], state) for state in states for job in listed(module_shop, f"?state={state}")]

    assert sorted(found) == sorted((job["id"], job["state"]) for job in listed(module_shop))


def test_jobs_are_listed_by_kind_failures_and_moment(module_shop: Shop, jobs: dict[str, str]) -> None:
    moment = quote(told(module_shop.api.get(f"/v1/jobs/{jobs['cancelled']}"))["createdAt"])
    names = {job_id: name for name, job_id in jobs.items()}

    def of(query: str) -> list[str]:
        return [names[job["id"]] for job in listed(module_shop, query) if job["id"] in names]

    assert of("?kind=completions") == ["completion"]
    assert "completion" not in of("?kind=orders")
    assert of("?failed=true") == ["failed", "partially_succeeded"]
    assert set(of("?failed=false")) == set(jobs) - {"failed", "partially_succeeded"}
    assert of(f"?createdBefore={moment}") == ["failed", "partially_succeeded", "succeeded"]
    assert of(f"?createdAfter={moment}&state=cancelled") == ["cancelled"]


def test_a_list_is_walked_page_by_page_while_jobs_come_in(module_shop: Shop, jobs: dict[str, str]) -> None:
    assert jobs
    whole = [job["id"] for job in listed(module_shop)]
    seen: list[str] = []
    path = "/v1/jobs?limit=2"
    while path:
        response = module_shop.api.get(path)
        page = told(response)
        seen += [job["id"] for job in page["jobs"]]
        assert len(page["jobs"]) <= 2
        assert response.headers.get("Link") == (page["next"] and f'<{page["next"]}>; rel="next"')
        path = page["next"] or ""
        module_shop.api.post({"z": BAD}, Prefer="respond-async")

    assert seen == whole


def test_a_client_lists_its_own_jobs_and_who_may_read_all_everybodys(
    module_shop: Shop, jobs: dict[str, str]
) -> None:
    stranger = module_shop.api.new_key("Stranger", "orders:write")
    auditor = module_shop.api.new_key("Auditor", "jobs:read-all")

    assert listed(module_shop, key=stranger) == []
    assert listed(module_shop, f"?after={max(jobs.values())}", stranger) == []
    assert set(jobs.values()) <= {job["id"] for job in listed(module_shop, "?limit=200", auditor)}


def test_a_deleted_job_is_not_listed(shop: Shop) -> None:
    path = shop.api.post({"a": BAD}, Prefer="respond-async").headers["Location"]
    shop.settled(path)

    shop.api.client.delete(path, headers={"API-Authorization": shop.api.key})

    assert listed(shop) == []


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("state=done", "queued, running, cancelling, succeeded"),
        ("state=", "state"),
        ("kind=Orders", "orders, completions"),
        ("createdAfter=yesterday", "createdAfter"),
        ("createdBefore=2026-02-30", "createdBefore"),
        ("failed=maybe", "failed"),
        ("limit=0", "limit"),
        ("limit=201", "200"),
        ("limit=two", "limit"),
        ("after=1", "take it from next"),
        ("after={01a209af-3b0c-7ce6-836e-bae03ff047b9}", "after"),
        ("after=%00", "after"),
        ("limit=1&limit=2", "limit"),
        ("status=failed", "state, kind, label, reference, createdAfter"),
    ],
)
def test_a_parameter_that_is_none_is_refused_by_name(module_shop: Shop, query: str, names: str) -> None:
    response: TestResponse = module_shop.api.get(f"/v1/jobs?{query}")

    assert response.status_code == 400
    assert names in told(response)["msg"]
    assert told(response)["errors"]
