"""HTTP to an ordermill server: what may help is tried again, what went wrong is one sentence."""

from __future__ import annotations

import time
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Self

import httpx

from cli.client.outcomes import read_api_error, read_job
from cli.errors import NotDoneError
from shared.terminal_text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cli.client.outcomes import JobReport
    from cli.client.upload import Upload

# A server that was never reached is probably not there; one that answered before is probably restarting.
UNREACHED_RETRY_SECONDS = 5.0
RETRY_SECONDS = 60.0
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 8.0

# A small batch is waited for by the server itself, and a large one takes a while to be read and stored.
_LIMITS = httpx.Timeout(connect=5.0, read=120.0, write=60.0, pool=5.0)

_EVENTS = "text/event-stream"
_DATA = "data: "
# A stream says something every 15 seconds.
_STREAM_LIMITS = httpx.Timeout(connect=5.0, read=45.0, write=60.0, pool=5.0)

# About as many orders as a server waits for by itself; and how long it may.
_WAITED_MAX_BYTES = 1 << 20
_WAIT_SECONDS = 2

# Raised before a byte of the request has left.
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
# Busy, away, or with the same request at this moment; any of them may pass.
BATCH_PATH: Final = "/v1/orders"
"""Where batches of orders are posted."""

_TRY_AGAIN = frozenset(
    {
        HTTPStatus.CONFLICT,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
_LOOPBACK = ("127.", "localhost", "[::1]")


class LostError(NotDoneError):
    """A request was sent, and nobody knows what came of it."""


class RefusedError(NotDoneError):
    """The server answered with ``status``, and asking again would not help."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class ServerConnection:
    """A client's way to one server with one key. Use it as a context manager.

    ``tell`` gets a sentence whenever a request has to be repeated; ``pause`` sleeps that many seconds.
    """

    def __init__(
        self,
        url: str,
        api_key: str,
        tell: Callable[[str], None],
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = url.rstrip("/")
        self._tell = tell
        self._pause = pause
        self._was_reached = False
        if not api_key.isascii() or not api_key.isprintable():
            raise NotDoneError("The API key has characters that no key has; was it copied whole?")
        try:
            parsed = httpx.URL(self.url)
        except httpx.InvalidURL as error:
            raise NotDoneError(f"{url!r} is not a URL: {error}.") from error
        if parsed.scheme not in {"http", "https"} or not parsed.host:
            raise NotDoneError(f"{url!r} is not a URL that begins with http:// or https:// and a host.")
        self._http = httpx.Client(
            headers={"API-Authorization": api_key},
            timeout=_LIMITS,
            # A proxy from the environment cannot reach this machine's own loopback.
            trust_env=not parsed.netloc.decode().startswith(_LOOPBACK),
        )

    def __enter__(self) -> Self:
        """Open for use."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close every connection."""
        self._http.close()

    def post_batch(
        self,
        upload: Upload,
        *,
        wait: bool,
        idempotency_key: str,
        path: str = BATCH_PATH,
        sent: Callable[[int], None] = lambda _: None,
    ) -> httpx.Response:
        """Post a batch to ``path``; a 200 carries its outcomes, a 202 its job.

        ``sent`` gets the bytes sent so far. It may be sent several times, when an answer is lost or the
        server is busy: for the server that is one batch, by its ``idempotency_key``. Raises LostError and
        RefusedError.
        """
        headers = {
            "Content-Type": upload.content_type,
            "Content-Length": str(upload.size),
            "Idempotency-Key": idempotency_key,
        }
        # The job's id is to be told before anybody waits for long.
        waited = wait and upload.size <= _WAITED_MAX_BYTES
        headers["Prefer"] = f"wait={_WAIT_SECONDS}" if waited else "respond-async"
        return self._answer(
            lambda: self._http.build_request(
                "POST", self.url + path, headers=headers, content=upload.chunks(sent)
            )
        )

    def job(self, job_id: str) -> JobReport:
        """Ask for the job as it is now."""
        return read_job(self.get(f"/v1/jobs/{job_id}"))

    def job_events(self, job_id: str) -> Iterator[JobReport]:
        """The job whenever it changes, until it is done or the stream is over; nothing where there is none.

        Whoever wants to know how the job is then asks for it. A server that knows no streams tells it once.
        """
        try:
            path = f"{self.url}/v1/jobs/{job_id}"
            with self._http.stream(
                "GET", path, headers={"Accept": _EVENTS}, timeout=_STREAM_LIMITS
            ) as stream:
                if stream.status_code != HTTPStatus.OK:
                    return
                if stream.headers.get("Content-Type", "").startswith(_EVENTS):
                    for line in stream.iter_lines():
                        if line.startswith(_DATA):
                            yield read_job(line.removeprefix(_DATA).encode())
                else:
                    yield read_job(stream.read())
        except httpx.TransportError:
            # Deliberately nothing: the job is asked for next, and that tells what is the matter.
            return

    def get(self, path: str, accept: str = "*/*") -> bytes:
        """Get the body of ``path`` as ``accept``, asking again while the server is away."""
        headers = {"Accept": accept}
        return self._answer(lambda: self._http.build_request("GET", self.url + path, headers=headers)).content

    def change(
        self, method: str, path: str, content: bytes = b"", *, repeatable: bool = True, **headers: str
    ) -> httpx.Response:
        """Post to ``path``, or delete it, asking again while the server is away: it may be done twice.

        What is not ``repeatable`` is sent again only where it was certainly not done. That it is refused
        because of the state it is in (409) does not pass. Raises LostError, RefusedError.
        """
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = partial(self._http.build_request, method, self.url + path, content=content, headers=named)
        if repeatable:
            return self._answer(request, _TRY_AGAIN - {HTTPStatus.CONFLICT})
        return self._answer(request, frozenset({HTTPStatus.TOO_MANY_REQUESTS}), repeatable=False)

    def _answer(
        self,
        request: Callable[[], httpx.Request],
        try_again: frozenset[HTTPStatus] = _TRY_AGAIN,
        *,
        repeatable: bool = True,
    ) -> httpx.Response:
        """Send a request, again while that may help, and give the answer that is a success."""
        waited = 0.0
        lost = False
        for pause in _pauses():
            try:
                response = self._http.send(request())
            except httpx.TransportError as error:
                if not isinstance(error, _NEVER_SENT):
                    self._was_reached = lost = True
                fault, wanted_pause = f"{self.url} {_what_happened(error)}.", 0.0
                if lost and not repeatable:
                    raise LostError(fault) from error
            else:
                self._was_reached = True
                if response.is_success:
                    return response
                fault, wanted_pause = _sentence(response), _retry_after_seconds(response)
                if response.status_code not in try_again:
                    raise RefusedError(fault, response.status_code)
            longer = max(pause, wanted_pause)
            waited += longer
            if waited > (RETRY_SECONDS if self._was_reached else UNREACHED_RETRY_SECONDS):
                break
            self._tell(f"{fault} Trying again in {longer:g} s.")
            self._pause(longer)
        raise (LostError if lost else NotDoneError)(self._in_the_end(fault))

    def _in_the_end(self, fault: str) -> str:
        return fault if self._was_reached else f"{fault} `ordermill serve` starts one on this machine."


def _pauses() -> Iterator[float]:
    pause = _FIRST_PAUSE_SECONDS
    while True:
        yield pause
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


def _retry_after_seconds(response: httpx.Response) -> float:
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isdecimal() else 0.0


def _sentence(response: httpx.Response) -> str:
    """Say what an error response says, with its status and request id."""
    error = read_api_error(response.content)
    said = error.msg if error else f"{response.url} answered {response.reason_phrase or 'with an error'}."
    request_id = printable(response.headers.get("X-Request-ID", ""))
    # A server's sentence may name a key of the batch, and goes to a terminal.
    return f"{printable(said)} (HTTP {response.status_code}{f', request {request_id}' if request_id else ''})"


def _what_happened(error: httpx.TransportError) -> str:
    happened = "cannot be reached" if isinstance(error, _NEVER_SENT) else "gave no answer"
    return f"{happened} ({str(error) or type(error).__name__})"
