"""HTTP to an ordermill server: what may be repeated is repeated, what went wrong is one sentence."""

from __future__ import annotations

import time
import uuid
from http import HTTPStatus
from typing import TYPE_CHECKING, Self

import httpx

from cli.client.outcomes import read_job, read_refusal
from cli.not_done import NotDoneError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cli.client.outcomes import Job
    from cli.client.upload import Upload

# A server that was never reached is probably not there; one that answered before is probably restarting.
FIRST_PATIENCE_SECONDS = 5.0
PATIENCE_SECONDS = 60.0
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 8.0

# A small batch is waited for by the server itself, and a large one takes a while to be read and stored.
_LIMITS = httpx.Timeout(connect=5.0, read=120.0, write=60.0, pool=5.0)

# Raised before a byte of the request has left.
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_LOOPBACK = ("127.", "localhost", "[::1]")


class Connection:
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
        self._answered = False
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
        self, upload: Upload, *, wait: bool, sent: Callable[[int], None] = lambda _: None
    ) -> httpx.Response:
        """Post a batch; a 200 carries its outcomes, a 202 its job. ``sent`` gets the bytes sent so far.

        It is repeated only while it is certain that nothing was accepted: nothing left this machine, or the
        server itself refused for the moment. A lost answer is never asked for again by a second batch.
        """
        headers = {
            "Content-Type": upload.content_type,
            "Content-Length": str(upload.size),
            # The same for each repetition: once the server honours it, no repetition can double an order.
            "Idempotency-Key": str(uuid.uuid4()),
        }
        if not wait:
            headers["Prefer"] = "respond-async"

        def request() -> httpx.Request:
            return self._http.build_request(
                "POST", f"{self.url}/v1/orders", headers=headers, content=upload.chunks(sent)
            )

        return self._answer(request, repeatable=False)

    def job(self, job_id: str) -> Job:
        """Ask for the job as it is now."""
        return read_job(self.get(f"/v1/jobs/{job_id}"))

    def get(self, path: str) -> bytes:
        """Get the body of ``path``, asking again while the server is away."""
        return self._answer(lambda: self._http.build_request("GET", self.url + path), repeatable=True).content

    def _answer(self, request: Callable[[], httpx.Request], *, repeatable: bool) -> httpx.Response:
        waited = 0.0
        for pause in _pauses():
            response, fault = self._try(request(), repeatable=repeatable)
            if response is not None and not _comes_back(response, repeatable=repeatable):
                return self._accepted(response)
            longer = max(pause, _retry_after_seconds(response))
            patience = PATIENCE_SECONDS if self._answered else FIRST_PATIENCE_SECONDS
            if waited + longer > patience:
                break
            self._tell(f"{fault or _sentence(response)} Trying again in {longer:g} s.")
            self._pause(longer)
            waited += longer
        if response is not None:
            return self._accepted(response)
        raise NotDoneError(f"{fault} Is it running? `ordermill serve` starts one on this machine.")

    def _try(self, request: httpx.Request, *, repeatable: bool) -> tuple[httpx.Response | None, str]:
        try:
            response = self._http.send(request)
        except _NEVER_SENT as error:
            return None, f"{self.url} cannot be reached ({_cause(error)})."
        except httpx.TransportError as error:
            if repeatable:
                return None, f"{self.url} did not answer ({_cause(error)})."
            raise NotDoneError(
                f"The answer of {self.url} was lost ({_cause(error)}): the batch may have been accepted. "
                "It was not sent again, since that could double its orders."
            ) from error
        self._answered = True
        return response, ""

    def _accepted(self, response: httpx.Response) -> httpx.Response:
        if response.is_success:
            return response
        raise NotDoneError(_sentence(response))


def _pauses() -> Iterator[float]:
    pause = _FIRST_PAUSE_SECONDS
    while True:
        yield pause
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


def _comes_back(response: httpx.Response, *, repeatable: bool) -> bool:
    """Whether asking again may help and does no harm."""
    if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        return True
    if repeatable:
        return response.status_code in {502, 503, 504}
    # Ours says that nothing was accepted; a proxy's says nothing about what the server behind it did.
    ours = read_refusal(response.content) is not None
    return ours and response.status_code == HTTPStatus.SERVICE_UNAVAILABLE


def _retry_after_seconds(response: httpx.Response | None) -> float:
    value = response.headers.get("Retry-After", "") if response is not None else ""
    return float(value) if value.isdecimal() else 0.0


def _sentence(response: httpx.Response | None) -> str:
    """Say what a refusal says, with its status and request id."""
    if response is None:
        return ""
    refusal = read_refusal(response.content)
    said = refusal.msg if refusal else f"{response.url} answered {response.reason_phrase or 'with an error'}."
    request_id = response.headers.get("X-Request-ID")
    return f"{said} (HTTP {response.status_code}{f', request {request_id}' if request_id else ''})"


def _cause(error: Exception) -> str:
    return str(error) or type(error).__name__
