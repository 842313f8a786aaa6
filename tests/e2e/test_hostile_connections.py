"""Requests that are slow, cut short, ambiguous or garbage, over raw sockets to a real gunicorn."""

from __future__ import annotations

import re
import select
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from shared.settings import Settings
from tests.support.api_process import Answer, ApiProcess, open_api_process
from tests.support.until import pause, until

PATIENCE_SECONDS = 2.0
THREADS = 8
EMPTY = b"{}"


@pytest.fixture(scope="module")
def api(module_settings: Settings) -> Iterator[ApiProcess]:
    variables = {"BODY_SECONDS_MAX": str(PATIENCE_SECONDS), "API_THREADS": str(THREADS)}
    with open_api_process(module_settings, **variables) as made:
        yield made


def chunked(api: ApiProcess, *chunks: bytes, key: str = "") -> Answer:
    return api.ask(api.head("Transfer-Encoding: chunked", "Connection: close", key=key), *chunks)


def envelope(answer: Answer) -> str:
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Server" not in answer.headers
    assert (answer.json["status"], answer.json["code"]) == ("no", -7)
    return str(answer.json["msg"])


def test_a_sender_of_a_byte_a_second_is_408_in_time(api: ApiProcess) -> None:
    jobs = api.job_count()
    begun = time.monotonic()
    with api.connected() as connection:
        connection.send(api.head("Content-Length: 100000"), b'{"a":')
        # It never stops by itself, so silence is not what ends it.
        while not select.select([connection.socket], [], [], 0.25)[0]:
            assert time.monotonic() - begun < PATIENCE_SECONDS + 3
            connection.send(b" ")
        answer = connection.answer()
        assert connection.ended()

    assert answer.status == 408
    assert "too slowly" in envelope(answer)
    assert api.job_count() == jobs


@pytest.mark.parametrize("framing", ["Content-Length: 100", "Transfer-Encoding: chunked"])
def test_a_sender_that_stops_is_408_in_time(api: ApiProcess, framing: str) -> None:
    answer = api.ask(api.head(framing), b"5\r\n")

    assert answer.status == 408
    assert PATIENCE_SECONDS - 0.5 < answer.seconds < PATIENCE_SECONDS + 3


def test_slow_heads_and_silent_connections_keep_nobody_waiting(api: ApiProcess) -> None:
    with ExitStack() as held:
        silent = [held.enter_context(api.connected()) for _ in range(10 * THREADS)]
        slow = [held.enter_context(api.connected()) for _ in range(3 * THREADS)]
        for connection in slow:
            connection.send(b"POST /v1/orders HTTP/1.1\r\nHost: m")
        begun = time.monotonic()
        # A head holds no thread before it is whole.
        assert api.get("/healthz").status == 200
        assert time.monotonic() - begun < 1.5
        answers = [connection.answer() for connection in slow]

    assert {answer.status for answer in answers} == {408}
    assert "head came too slowly" in envelope(answers[0])
    assert time.monotonic() - begun < PATIENCE_SECONDS + 3
    assert len(silent) == 10 * THREADS


def test_connections_of_one_byte_keep_nobody_waiting_and_need_no_key(api: ApiProcess) -> None:
    with ExitStack() as held:
        for _ in range(70):
            held.enter_context(api.connected()).send(b"G")
        answers = [api.get(path) for path in ("/healthz", "/v1/limits", "/healthz")]

    assert [answer.status for answer in answers] == [200] * 3
    # They are given up after PATIENCE_SECONDS, and waiting for that was what others did.
    assert min(answer.seconds for answer in answers) < PATIENCE_SECONDS / 2


def test_bodies_that_nobody_reads_keep_nobody_waiting_and_need_no_key(api: ApiProcess) -> None:
    heads = [
        api.head("Content-Length: 1000", key="nobody"),
        api.head("Content-Length: 1000", method="GET", path="/healthz"),
        api.head("Content-Length: 1000", method="GET", path="/nowhere"),
    ]
    with ExitStack() as held:
        for head in heads * 20:
            held.enter_context(api.connected()).send(head)
        begun = time.monotonic()
        assert api.get("/healthz").status == 200
        assert api.get("/v1/limits").status == 200

    # Five seconds each, of eight threads, is what gunicorn gave them.
    assert time.monotonic() - begun < 5


def test_answers_that_nobody_takes_keep_nobody_waiting_and_need_no_key(api: ApiProcess) -> None:
    with ExitStack() as held:
        for _ in range(3 * THREADS):
            raw = held.enter_context(socket.socket())
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            raw.connect(("127.0.0.1", api.port))
            raw.sendall(api.head(method="GET", path="/openapi.json") * 100)
        pause(1, "the kernel keeps no more of the answers by then")
        begun = time.monotonic()
        assert api.get("/healthz").status == 200
        assert api.get("/v1/limits").status == 200
        assert time.monotonic() - begun < PATIENCE_SECONDS / 2


def test_a_head_that_comes_in_pieces_is_a_head_like_any_other(api: ApiProcess) -> None:
    head = api.head("Content-Length: 2") + EMPTY
    with api.connected() as connection:
        for position in range(len(head)):
            connection.send(head[position : position + 1])
        assert connection.answer().status == 200
        connection.send(b"\r\n", head[:20])
        pause(0.05, "the first piece has come by then")
        connection.send(head[20:])
        assert connection.answer().status == 200


def test_clients_that_do_not_hang_up_after_an_error_keep_nobody_waiting(api: ApiProcess) -> None:
    with ExitStack() as held:
        for _ in range(3 * THREADS):
            rude = held.enter_context(api.connected())
            rude.send(b"garbage\r\n\r\n")
            assert rude.answer().status == 400
        begun = time.monotonic()
        assert api.get("/healthz").status == 200
        assert time.monotonic() - begun < 1.0


def test_a_client_that_does_not_take_its_answer_holds_a_thread_for_no_longer_than_that(
    api: ApiProcess,
) -> None:
    # These keys come back as 8 MB and more, more than the kernel keeps for a reader that is asleep.
    body = b"{%b}" % b",".join(b'"%b%d":0' % (b"k" * 1000, number) for number in range(8000))
    job = api.post(body, "Prefer: respond-async")
    api.outcomes(job)
    with socket.socket() as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.connect(("127.0.0.1", api.port))
        raw.sendall(api.head(method="GET", path=job.json["links"]["results"]))
        until(
            lambda: any("did not take its answer" in line for line in api.log),
            "its connection is ended",
            PATIENCE_SECONDS + 5,
        )


@pytest.mark.parametrize("reset", [False, True])
def test_a_body_that_is_cut_short_leaves_nothing(api: ApiProcess, reset: bool) -> None:
    jobs = api.job_count()
    with api.connected() as connection:
        connection.send(api.head("Content-Length: 1000"), b'{"a":{}}')
        if reset:
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            connection.socket.shutdown(socket.SHUT_WR)
            answer = connection.answer()
            assert answer.status == 400
            assert "to its end" in envelope(answer) or "before the 1000" in envelope(answer)

    assert api.get("/healthz").status == 200
    assert api.job_count() == jobs


def test_a_content_length_that_is_too_short_makes_the_rest_no_request_of_ours(api: ApiProcess) -> None:
    body = b'{"a":1}'
    with api.connected() as connection:
        connection.send(api.head(f"Content-Length: {len(body) - 1}"), body, api.head(method="GET"))
        first = connection.answer()
        # What was left over begins the next request, and makes it none.
        second = connection.answer()
        assert connection.ended()

    assert first.status == 400
    assert second.status == 400
    assert "cannot be read" in envelope(second)


@pytest.mark.parametrize(
    "length", ["-1", "+5", "5, 5", "5 5", "0x5", "\u0665", "", "99999999999999999999999999", "1e3"]
)
def test_a_content_length_that_is_no_length_is_refused(api: ApiProcess, length: str) -> None:
    answer = api.ask(
        api.head("Content-Length: ").replace(b"Content-Length: ", f"Content-Length: {length}".encode())
    )

    assert answer.status in {400, 413}
    envelope(answer)


def test_two_content_lengths_are_refused(api: ApiProcess) -> None:
    assert api.ask(api.head("Content-Length: 2", "Content-Length: 3"), EMPTY).status == 400


def test_a_length_over_the_limit_is_413_before_a_byte_is_sent(api: ApiProcess) -> None:
    answer = api.ask(api.head(f"Content-Length: {1 << 40}"))

    assert answer.status == 413
    assert "maxBodyBytes" in envelope(answer)
    assert answer.seconds < 1


@pytest.mark.parametrize(
    "chunks",
    [
        b"2\r\n{}\r\n0\r\n\r\n",
        b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
        b'2;name=value;other="quoted"\r\n{}\r\n0\r\n\r\n',
        b"000002\r\n{}\r\n0\r\nX-Trailer: kept out\r\n\r\n",
    ],
)
def test_chunks_are_a_body_like_any_other(api: ApiProcess, chunks: bytes) -> None:
    answer = chunked(api, chunks)

    assert (answer.status, answer.body) == (200, EMPTY)


@pytest.mark.parametrize(
    "chunks",
    [
        b"zz\r\n{}\r\n0\r\n\r\n",
        b"-2\r\n{}\r\n0\r\n\r\n",
        b"0x2\r\n{}\r\n0\r\n\r\n",
        b" 2\r\n{}\r\n0\r\n\r\n",
        b"2\n{}\n0\n\n",
        b"2\r\n{}0\r\n\r\n",
        b"2\r\n{}X\r\n0\r\n\r\n",
        b"\r\n{}\r\n0\r\n\r\n",
        b"2;\r{}\r\n{}\r\n0\r\n\r\n",
        b"2\r\n{}\r\n0\r\nContent-Length: 5\r\n\r\n",
        b"2\r\n{}\r\n0\r\nnot a header\r\n\r\n",
        b"2" * 20_000,
        b"ffffffffffffffff\r\n" + b"x" * 100,
    ],
)
def test_malformed_chunks_are_refused_and_end_the_connection(api: ApiProcess, chunks: bytes) -> None:
    jobs = api.job_count()
    with api.connected() as connection:
        connection.send(api.head("Transfer-Encoding: chunked"), chunks)
        connection.socket.shutdown(socket.SHUT_WR)
        answer = connection.answer()
        assert connection.ended()

    assert answer.status == 400
    envelope(answer)
    assert api.job_count() == jobs


@pytest.mark.parametrize(
    "framing",
    [
        ("Transfer-Encoding: chunked", "Content-Length: 2"),
        ("Content-Length: 2", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked, chunked",),
        ("Transfer-Encoding: chunked, identity",),
        ("Transfer-Encoding: identity", "Content-Length: 2"),
        ("Transfer-Encoding: gzip", "Content-Length: 2"),
        ("Transfer-Encoding: gzip, chunked",),
        ("Transfer-Encoding: gzip", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: identity, chunked",),
        ("Transfer-Encoding: chunked;q=1",),
        ("Transfer-Encoding: xchunked",),
        ("Transfer-Encoding : chunked",),
        ("Transfer-Encoding:\x0bchunked",),
        ("Transfer-Encoding: chunked\x00",),
        (" Transfer-Encoding: chunked",),
        ("X: y\r\n Transfer-Encoding: chunked",),
        ("X: y\nTransfer-Encoding: chunked",),
        ("Content-Length: 2\rX: y",),
    ],
)
def test_a_body_with_two_possible_ends_is_refused_and_nothing_behind_it_is_read(
    api: ApiProcess, framing: tuple[str, ...]
) -> None:
    smuggled = api.head(method="GET", path="/v1/limits")
    with api.connected() as connection:
        connection.send(api.head(*framing), b"0\r\n\r\n", smuggled)
        answer = connection.answer()
        assert connection.ended()

    assert answer.status in {400, 501}
    assert "cannot be read" in envelope(answer)


def test_requests_in_a_row_are_answered_in_a_row(api: ApiProcess) -> None:
    batch = api.head("Content-Length: 2") + EMPTY
    with api.connected() as connection:
        connection.send(batch * 3, api.head(method="GET", path="/v1/limits"))
        answers = [connection.answer() for _ in range(4)]

    assert [answer.status for answer in answers] == [200] * 4
    assert [answer.body for answer in answers[:3]] == [EMPTY] * 3


def test_garbage_behind_a_good_request_costs_only_the_connection(api: ApiProcess) -> None:
    with api.connected() as connection:
        connection.send(api.head("Content-Length: 2"), EMPTY, b"\x16\x03\x01\x02\x00\x01" * 100 + b"\r\n\r\n")
        assert connection.answer().status == 200
        assert connection.answer().status == 400
        assert connection.ended()

    assert api.get("/healthz").status == 200


ODD_HOSTS = [
    *(b"x:99999", b"x:65536", b"x:0", b"x:", b"x:abc", b"x:-1", b"x: 80", b"x:+80", b":80"),
    *(b"x,y", b"x y", b"u@x", b"u:p@x", b"x/y", b"x?y", b"x#y", b"x\\y", b"%78", b"x;y", b"\xc3\xa9"),
    *(b"[::1", b"::1", b"[::1]x", b"[:::1]", b"[1]", b"[]", b"[::1]:0", b"[::1%25eth0]"),
]
USUAL_HOSTS = [b"mill_1.shop-2.example:65535", b"127.0.0.1:1", b"[::ffff:127.0.0.1]", b"MILL"]
ODD_TARGETS = [
    *(b"/healthz#y", b"/healthz?a#y", b"#", b"healthz", b"*", b"?a", b"mill:80", b"ftp://mill/healthz"),
    *(b"/%76%31/limits", b"/v1/%6cimits", b"/v1/limits%2e", b"/v1/%2E%2e/healthz", b"/v1%5climits"),
    *(b"/./healthz", b"/v1/../healthz", b"/v1/..", b"/v1//limits", b"/healthz//", b"/v1\\limits"),
    *(b"/healthz%00", b"/healthz%0a", b"/healthz%7f", b"/healthz%", b"/healthz%4", b"/healthz%zz"),
    *(b"/healthz\x01", b"/healthz?\x01", b"/healthz?\x7f", b"/<healthz>", b'/"', b"/{healthz}", b"/\xc3\xa9"),
    *(b"http://u@mill/healthz", b"http://mill:0/healthz", b"http://mill:99999/healthz", b"http:///healthz"),
    *(b"http://a,b/healthz", b"http://mill\\@x/healthz", b"http://[::1/healthz", b"http:/healthz"),
    *(b"http://mill/%2e/healthz", b"http://mill/../healthz", b"http://mill#/healthz"),
]
USUAL_TARGETS = [
    *((b"http://mill:8000/healthz", 200), (b"HTTPS://[::1]/healthz?a=%76", 200), (b"http://mill", 404)),
    *((b"/healthz?next=http://u@x/../%2e%2f", 200), (b"/v1/order/%C3%A9~", 404), (b"/v1/jobs/a:b@c;d", 401)),
]


@pytest.mark.parametrize(
    ("garbage", "status"),
    [
        (b"\r\n\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
        (b"GET\r\n\r\n", 400),
        (b"GET /healthz\r\n\r\n", 400),
        (b"GET  /healthz HTTP/1.1\r\n\r\n", 400),
        (b"GET /healthz HTTP/9.9\r\n\r\n", 400),
        (b"get /healthz HTTP/1.1\r\n\r\n", 400),
        (b"GET /\x00 HTTP/1.1\r\n\r\n", 400),
        (b"GET /\xff HTTP/1.1\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nNo colon\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nX: a\x00b\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nExpect: miracles\r\n\r\n", 417),
        (b"GET /%b HTTP/1.1\r\n\r\n" % (b"a" * 10_000), 414),
        (b"GET /healthz HTTP/1.1\r\nX: %b\r\n\r\n" % (b"a" * 4_096), 431),
        (b"GET /healthz HTTP/1.1\r\n%b\r\n" % (b"X: y\r\n" * 33), 431),
        (b"GET /healthz HTTP/1.1\r\n%b" % (b"X: %b\r\n" % (b"a" * 8000) * 200), 431),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"CONNECT mill:1 HTTP/1.1\r\nHost: mill\r\n\r\n", 404),
        (b"GET http://evil.example/v1/limits HTTP/1.1\r\nHost: mill\r\n\r\n", 401),
        (b"TRACE /healthz HTTP/1.1\r\nHost: mill\r\n\r\n", 405),
        (b"OPTIONS * HTTP/1.1\r\nHost: mill\r\n\r\n", 404),
        (b"GET /healthz HTTP/1.1\r\nHost: mill\r\nSCRIPT_NAME: /evil\r\n\r\n", 200),
        (
            b"GET /healthz HTTP/1.1\r\nHost: m\r\nX-Forwarded-Proto: s\r\nX-Forwarded-Proto: t\r\n\r\n",
            200,
        ),
        (b"GET /healthz HTTP/1.1\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.0\r\n\r\n", 200),
        (b"GET /healthz HTTP/1.0\r\nHost: a b\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nHost: a b/..@<x>\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nHost:\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nHost: mill:80:80\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nHost: [::1]:8000\r\n\r\n", 200),
        *((b"GET /healthz HTTP/1.1\r\nHost: %b\r\n\r\n" % host, 400) for host in ODD_HOSTS),
        *((b"GET /healthz HTTP/1.1\r\nHost: %b\r\n\r\n" % host, 200) for host in USUAL_HOSTS),
        *((b"GET %b HTTP/1.1\r\nHost: mill\r\n\r\n" % target, 400) for target in ODD_TARGETS),
        *((b"GET %b HTTP/1.1\r\nHost: mill\r\n\r\n" % target, code) for target, code in USUAL_TARGETS),
        (b"GET /healthz HTTP/1.2\r\nHost: mill\r\n\r\n", 400),
        (b"GET //healthz HTTP/1.1\r\nHost: mill\r\n\r\n", 400),
        (b"GET http://mill//healthz HTTP/1.1\r\nHost: mill\r\n\r\n", 400),
        (b"GET /v1%2flimits HTTP/1.1\r\nHost: mill\r\n\r\n", 400),
        (b"GET /v1%2Flimits HTTP/1.1\r\nHost: mill\r\n\r\n", 400),
        (b"GET /healthz?next=//v1%2flimits HTTP/1.1\r\nHost: mill\r\n\r\n", 200),
        (b"POST /v1/order/%D9%A3 HTTP/1.1\r\nHost: mill\r\n\r\n", 404),
    ],
)
def test_what_is_no_request_is_refused_in_the_envelope(api: ApiProcess, garbage: bytes, status: int) -> None:
    answer = api.ask(garbage)

    assert answer.status == status, answer.body
    if status != 200:
        envelope(answer)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Server" not in answer.headers
    assert answer.seconds < 1


@pytest.mark.parametrize(
    "sent", ["a b", "a\tb", "<script>", "a" * 129, "é", '"', "a,b", "%0d%0aX: y", "\x80"]
)
def test_a_request_id_that_could_do_harm_is_replaced(api: ApiProcess, sent: str) -> None:
    answer = api.ask(api.head(f"X-Request-ID: {sent}", "Connection: close", method="GET", path="/v1/limits"))

    assert answer.status == 200
    assert re.fullmatch(r"[0-9a-f-]{36}", answer.headers["X-Request-Id"])


@pytest.mark.parametrize("sent", ["a\r\n b", "a\nX-Injected: 1", "a\rX-Injected: 1", "a\x00"])
def test_a_request_id_with_a_line_in_it_is_no_request(api: ApiProcess, sent: str) -> None:
    answer = api.ask(api.head(f"X-Request-ID: {sent}", method="GET", path="/v1/limits"))

    assert answer.status == 400
    assert "X-Injected" not in answer.headers
    envelope(answer)


@pytest.mark.parametrize(
    "header",
    ["Prefer", "Idempotency-Key", "Content-Type", "Content-Encoding", "API-Authorization", "If-None-Match"],
)
def test_no_value_of_a_client_comes_back_in_a_header(api: ApiProcess, header: str) -> None:
    answer = api.ask(
        api.head(f"{header}: x-marked-7c1; <b>", "Content-Length: 2", "Connection: close"), EMPTY
    )

    assert "x-marked-7c1" not in str(answer.headers)
    assert answer.headers["Content-Type"] == "application/json"


def test_the_process_lives_on_and_has_logged_nothing_of_what_it_could_not_read(api: ApiProcess) -> None:
    secret = "om_abcdefgh_" + "S" * 43

    for garbage in (
        f"GET /v1/limits?key={secret}\xff HTTP/1.1\r\n\r\n",
        f"GET /v1/limits HTTP/1.1\r\nAPI-Authorization {secret}\r\n\r\n",
        f"GET /v1/limits HTTP/1.1\r\nAPI-Authorization: {secret}\x00\r\n\r\n",
        f"{secret} /v1/limits HTTP/1.1\r\n\r\n",
        f"GET /v1/limits {secret}\r\n\r\n",
        f"GET /{secret} HTTP/1.1\r\n\r\n",
    ):
        assert secret.encode() not in api.ask(garbage.encode("latin-1")).body

    assert api.process.poll() is None
    assert api.post(EMPTY).status == 200
    assert not any("S" * 20 in line for line in api.log)
    assert not any('"level": "error"' in line for line in api.log), api.log
