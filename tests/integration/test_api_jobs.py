"""Jobs are their own key's business; limits and health are told (contract §1, 2 and 5)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from api.routes import routes
from shared.clock import utc_now
from shared.queue.job_queue import JobQueue
from tests.support.api import ApiClient


@pytest.fixture(scope="module")
def job_path(module_api: ApiClient) -> str:
    return module_api.post({"a": {}}, Prefer="respond-async").headers["Location"]


def test_a_jobs_id_is_a_uuid_of_version_7_and_its_times_are_rfc_3339_in_utc(
    module_api: ApiClient, job_path: str
) -> None:
    before = utc_now()
    path = module_api.post({"a": {}}, Prefer="respond-async").headers["Location"]
    for slice_id, _, _ in module_api.open_slices(path.rpartition("/")[2]):
        module_api.close_slice(slice_id)

    job = module_api.get(path).json or {}

    made_at = datetime.fromtimestamp((UUID(job["id"]).int >> 80) / 1000, UTC)
    times = [job[name] for name in ("createdAt", "startedAt", "finishedAt", "expiresAt")]
    assert UUID(job["id"]).version == 7
    assert abs(made_at - before) < timedelta(minutes=1)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", time) for time in times)
    assert times == sorted(times)
    assert job_path < f"/v1/jobs/{job['id']}"


@pytest.mark.parametrize("rest", ["", "/results"])
def test_a_job_of_somebody_else_is_404_as_if_it_did_not_exist(
    module_api: ApiClient, job_path: str, rest: str
) -> None:
    stranger = module_api.new_key(f"Stranger{rest}", "orders:write", "orders:read")
    unknown = "/v1/jobs/01a209af-3b0c-7ce6-836e-bae03ff047b9"

    foreign, missing = (module_api.get(path + rest, stranger) for path in (job_path, unknown))

    assert foreign.status_code == missing.status_code == 404
    assert foreign.data == missing.data
    assert foreign.json is not None
    assert foreign.json["status"] == "no"


def test_a_key_that_may_read_all_jobs_reads_those_of_others(module_api: ApiClient, job_path: str) -> None:
    auditor = module_api.new_key("Auditor", "jobs:read-all")

    assert module_api.get(job_path, auditor).status_code == 200
    assert module_api.get(job_path + "/results", auditor).data == b"{}"


def test_a_key_that_may_only_write_reads_its_own_jobs(module_api: ApiClient) -> None:
    writer = module_api.new_key("Writer", "orders:write")
    response = module_api.post({"a": {}}, Prefer="respond-async", API_Authorization=writer)

    assert module_api.get(response.headers["Location"], writer).json == response.json


@pytest.mark.parametrize(
    "job_id",
    ["x", "1", "%00", "01a209af3b0c7ce6836ebae03ff047b9", "{01a209af-3b0c-7ce6-836e-bae03ff047b9}", "é"],
)
def test_an_id_that_is_none_is_404(module_api: ApiClient, job_id: str) -> None:
    assert module_api.get(f"/v1/jobs/{job_id}").status_code == 404
    assert module_api.get(f"/v1/jobs/{job_id}/results").status_code == 404


def test_an_id_in_capitals_is_the_same_id(module_api: ApiClient, job_path: str) -> None:
    start, _, job_id = job_path.rpartition("/")

    assert module_api.get(f"{start}/{job_id.upper()}").status_code == 200


def test_the_limits_are_told_under_the_names_that_messages_use(module_api: ApiClient) -> None:
    narrow = module_api.with_settings(max_orders=5, max_key_chars=20, sync_wait_seconds=3)

    limits = narrow.get("/v1/limits").json

    assert limits is not None
    assert (
        limits.items()
        >= {
            "maxBodyBytes": 128 * 1024 * 1024,
            "maxOrders": 5,
            "maxOrderBytes": 4 * 1024 * 1024,
            "maxKeyChars": 20,
            "maxNesting": 32,
            "maxLines": 5_000,
            "syncMaxOrders": 1_000,
            "syncWaitSeconds": 3,
            "maxWaitSeconds": 60,
            "retentionDays": 30,
        }.items()
    )


def test_every_route_of_the_contract_needs_a_key_and_health_and_documents_do_not(
    module_api: ApiClient,
) -> None:
    for route in routes():
        path = route.rule.replace("<job_id>", "x").replace("<int:number>", "1")
        response = module_api.client.open(path, method=route.method)
        is_open = route.rule in {"/healthz", "/readyz", "/openapi.json"} or route.rule.startswith("/docs")
        assert (response.status_code != 401) == is_open, route.rule


def test_a_living_process_is_healthy_whatever_is_away(module_api: ApiClient) -> None:
    away = module_api.with_settings(
        database_url="postgresql://nobody@127.0.0.1:9/nothing", redis_url="redis://127.0.0.1:9/0"
    )

    response = away.client.get("/healthz")

    assert (response.status_code, response.json) == (200, {"status": "ok"})


def test_it_is_ready_when_database_broker_and_a_worker_answer(module_api: ApiClient) -> None:
    queue = JobQueue(module_api.settings)
    queue.beat("worker-1")
    queue.close()

    response = module_api.client.get("/readyz")

    assert response.status_code == 200
    assert response.json == {
        "status": "ok",
        "database": {"ok": True},
        "broker": {"ok": True},
        "workers": {"ok": True, "count": 1},
    }


def test_what_is_away_is_named(module_api: ApiClient) -> None:
    away = module_api.with_settings(
        database_url="postgresql://nobody:secret@127.0.0.1:9/nothing",
        redis_url="redis://:secret@127.0.0.1:9/0",
    )

    response = away.client.get("/readyz")

    assert response.status_code == 503
    assert response.json is not None
    assert response.json["status"] == "no"
    for part in ("database", "broker", "workers"):
        assert response.json[part]["ok"] is False
        assert response.json[part]["why"] in response.json["msg"]
    assert b"secret" not in response.data
    assert int(response.headers["Retry-After"]) > 0
