"""PostgreSQL and Redis over TLS with certificates that are checked, and one sentence for each way to fail."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest
import redis
import trustme
from sqlalchemy import URL, make_url

from shared.persistence.core.database import open_database, ping
from shared.persistence.core.unreachable import why_unreachable
from shared.queue.job_queue import JobQueue
from tests.support.tls_front import TlsFront

if TYPE_CHECKING:
    from pathlib import Path

    from cli.servers import ServerUrls
    from shared.settings import Settings


@dataclass
class Fronts:
    """The test run's servers behind TLS, and behind none."""

    tls: URL
    no_tls: URL
    redis_url: str
    authority: str
    other_authority: str


@pytest.fixture(scope="module")
def fronts(servers: ServerUrls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fronts]:
    place: Path = tmp_path_factory.mktemp("tls")
    authority, other = trustme.CA(), trustme.CA()
    authority.cert_pem.write_to_path(str(place / "ca.pem"))
    other.cert_pem.write_to_path(str(place / "other.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    url = make_url(servers.database_url)
    postgres = f"{url.query['host']}/.s.PGSQL.5432"
    redis_socket = servers.redis_url.removeprefix("unix://").partition("?")[0]
    with (
        TlsFront(postgres, context, postgres=True) as tls,
        TlsFront(postgres, None, postgres=True) as no_tls,
        TlsFront(redis_socket, context, postgres=False) as for_redis,
    ):
        yield Fronts(
            url.set(host="localhost", port=tls.port, database="postgres", query={}),
            url.set(host="localhost", port=no_tls.port, database="postgres", query={}),
            f"rediss://localhost:{for_redis.port}/7",
            str(place / "ca.pem"),
            str(place / "other.pem"),
        )


def text(url: URL, **query: str) -> str:
    return url.set(query=query).render_as_string(hide_password=False)


def test_postgresql_is_reached_by_tls_and_its_certificate_checked(fronts: Fronts, settings: Settings) -> None:
    url = text(fronts.tls, sslmode="verify-full", sslrootcert=fronts.authority)
    engine = open_database(replace(settings, database_url=url), "test")

    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        assert driver.pgconn.ssl_in_use
    ping(engine)
    engine.dispose()


def test_the_queue_is_reached_by_tls_with_its_certificate_checked(fronts: Fronts, settings: Settings) -> None:
    trusted = f"{fronts.redis_url}?ssl_ca_certs={fronts.authority}"
    with redis.Redis.from_url(trusted) as client:
        client.flushdb()
        with closing(JobQueue(replace(settings, redis_url=trusted))) as queue:
            queue.ping()
            queue.dispatch([4711], "orders.small")
        assert client.llen("ordermill:orders.small") == 1
        client.flushdb()

    with (
        redis.Redis.from_url(f"{fronts.redis_url}?ssl_ca_certs={fronts.other_authority}") as client,
        pytest.raises(redis.ConnectionError, match="certificate verify failed"),
    ):
        client.ping()


@pytest.mark.parametrize(
    ("changed", "query", "sentence"),
    [
        ({"port": 1, "host": "127.0.0.1"}, {}, "nothing listens at '127.0.0.1' port 1: is it running?"),
        ({"host": "no.such.host.invalid"}, {}, "no host 'no.such.host.invalid' is known."),
        (
            {"host": None, "port": None},
            {"host": "/nowhere"},
            "there is no socket in '/nowhere': is it running?",
        ),
        ({"password": "wrong"}, {"sslmode": "require"}, "it knows no user 'ordermill' with this password."),
        ({"username": "eva"}, {"sslmode": "require"}, "it knows no user 'eva' with this password."),
        ({"database": "mile"}, {"sslmode": "require"}, "it has no database 'mile'."),
        ({}, {"sslmode": "verify_full"}, "sslmode is 'verify_full', which takes disable, allow,"),
        ({}, {"sslmod": "require"}, "it takes no parameter of that name"),
        ({}, {"sslmode": "verify-full", "sslrootcert": "/nowhere"}, "there is no authority to check"),
        (
            {},
            {"sslmode": "verify-full", "sslrootcert": "{other}"},
            "of an unknown authority: sslrootcert",
        ),
        ({"host": "127.0.0.1"}, {"sslmode": "verify-full", "sslrootcert": "{ca}"}, "is not for '127.0.0.1'"),
    ],
)
def test_each_cause_that_a_database_cannot_be_reached_has_a_sentence_of_its_own(
    fronts: Fronts, changed: dict[str, Any], query: dict[str, str], sentence: str
) -> None:
    files = {"ca": fronts.authority, "other": fronts.other_authority}
    url = fronts.tls.set(**changed)
    told = why_unreachable(text(url, **{key: value.format(**files) for key, value in query.items()}), 5)

    assert told.startswith("The database of DATABASE_URL cannot be reached: ")
    assert sentence in told
    assert str(fronts.tls.password) not in told
    assert told.endswith((".", "?"))


def test_a_server_without_tls_is_told_apart(fronts: Fronts) -> None:
    told = why_unreachable(text(fronts.no_tls, sslmode="require"), 5)

    assert told.endswith(": the server offers no TLS, and sslmode=require demands it.")


def test_what_is_no_url_is_told(fronts: Fronts) -> None:
    assert fronts
    assert why_unreachable("db.example", 5).startswith("DATABASE_URL is no URL such as")


def test_a_database_that_is_there_has_no_sentence(servers: ServerUrls) -> None:
    assert why_unreachable(servers.database_url, 5) == ""
