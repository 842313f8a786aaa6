"""Clients that do with their jobs what can be done with one: cancel it, try its orders again, delete it."""

from __future__ import annotations

import http
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Final

import httpx

from tests.faults.clients import Client
from tests.faults.goods import SIZES, batch, batch_in_common, batch_in_turn, batch_of_one_piece, body_of
from tests.faults.journal import BATCHES, Answer, Sent
from tests.faults.options import AS_USUAL, Options
from tests.faults.retries import retry_of
from tests.faults.told import CANCELLED, told_of
from tests.support.until import pause

if TYPE_CHECKING:
    from tests.faults.goods import Wanted
    from tests.faults.retries import Retry

_LARGE_SIZES: Final = (50, 300, 300)
_KINDS: Final = (
    *("plain", "cancelled", "in order", "unique", "at most"),
    *("later", "cancelled", "dry", "atomic"),
)
"""In turn: in however little time, there is one of each."""
_CANCELLED: Final = {"unique": 0.2, "later": 0.3, "dry": 0.2, "atomic": 0.2}
"""How many of a kind are to be cancelled, beside those that all are."""
_COMMON: Final = 40
"""Orders in a file that several clients send."""
_RETRIED, _RETRIED_AT_ONCE_AGAIN, _DELETED = 0.6, 0.2, 0.2
_CHAIN_MOST: Final = 4


class JobClient(Client):
    """Sends batches, of which it cancels some; retries what was rejected, and deletes what is done."""

    letter: ClassVar = "j"

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._refusable: set[str] = set()
        self._made: dict[str, frozenset[str]] = {}
        self._retries = 0
        self._batches_made = 0

    def _batch(self, name: str) -> Sent:
        kind = _KINDS[self._batches_made % len(_KINDS)]
        self._batches_made += 1
        wanted, options = self._wanted(kind, name), self._options(kind)
        to_be_cancelled = kind == "cancelled" or self._chance.random() < _CANCELLED.get(kind, 0)
        return Sent(
            name,
            body_of(wanted),
            wanted,
            self._new_key(),
            BATCHES + options.query,
            prefer="respond-async" if to_be_cancelled or kind == "at most" else "",
            options=options,
            to_be_cancelled=to_be_cancelled,
        )

    def _wanted(self, kind: str, name: str) -> dict[str, Wanted]:
        """The orders of a batch of a kind."""
        if kind == "in order" or (kind == "dry" and self._chance.random() < 0.5):
            return batch_in_turn(self._chance, name)
        if kind == "unique":
            wanted = batch_in_common(f"{self._seed}/{self._batches_made}", _COMMON)
            # Whoever sends the same file may have split it otherwise.
            some = self._chance.sample(list(wanted), self._chance.randint(_COMMON // 2, _COMMON))
            return {key: wanted[key] for key in some}
        if kind == "atomic":
            return batch_of_one_piece(self._chance, name)
        sizes = _LARGE_SIZES if kind in {"cancelled", "at most"} else SIZES
        return batch(self._chance, name, poisonous=False, spells=self._spells, sizes=sizes)

    def _options(self, kind: str) -> Options:
        """The options of a batch of a kind."""
        options = {
            "in order": Options(ordered=True),
            "unique": Options(unique_keys=True),
            "at most": Options(max_failed=self._chance.choice((0, 2, 10))),
            "later": Options(not_before=round(time.time() + self._chance.uniform(0.5, 5), 3)),
            "dry": Options(validate_only=True),
            "atomic": Options(atomic=True),
        }.get(kind, AS_USUAL)
        if self._chance.random() < 0.5:
            options = replace(options, labels={"kind": kind, "by": self.name}, reference=f"{kind}, ordered?")
        return options

    def _accepted(self, client: httpx.Client, sent: Sent, answer: Answer) -> None:
        if made := self._made.get(sent.name):
            self._journal.accuse("what was made is not tried again", f"{sent.name}: {sorted(made)[:3]}")
        for key in sent.wanted if sent.retry_of is not None else ():
            sent.chain.setdefault(key, []).append(sent)
        super()._accepted(client, sent, answer)
        if answer.status == http.HTTPStatus.ACCEPTED and sent.to_be_cancelled:
            pause(self._chance.uniform(0, 0.4), "some of it is decided meanwhile")
            for _ in range(self._chance.choice((1, 1, 2))):
                self._cancel(client, sent)

    def _refused(self, sent: Sent, answer: httpx.Response) -> bool:
        if sent.name in self._refusable and answer.status_code == http.HTTPStatus.CONFLICT:
            sent.refused += 1
            return True
        return super()._refused(sent, answer)

    def _cancel(self, client: httpx.Client, sent: Sent) -> None:
        """Cancel it, and see what it comes to; again, or when it is done, that changes nothing."""
        sent.cancel_asked = True
        self._journal.note("cancel", sent)
        try:
            answer = client.post(f"{sent.job_path}/cancel")
            if answer.status_code == http.HTTPStatus.OK:
                sent.told.append(told_of(answer.json(), CANCELLED))
                results = client.get(f"{sent.job_path}/results")
                if results.status_code == http.HTTPStatus.OK:
                    sent.seen.append(results.content)
            elif answer.status_code != http.HTTPStatus.SERVICE_UNAVAILABLE:
                self._journal.accuse("a job can be cancelled", f"{sent.name}: {answer.status_code}")
        except httpx.TransportError as error:
            self._journal.note("lost", sent, fault=type(error).__name__)

    def _ended(self, client: httpx.Client, sent: Sent, outcomes: bytes) -> None:
        super()._ended(client, sent, outcomes)
        if not sent.is_keyed or self._over.is_set():
            return
        if sent.name.count("!r") < _CHAIN_MOST and self._chance.random() < _RETRIED:
            self._retry(client, sent)
            if self._chance.random() < _RETRIED_AT_ONCE_AGAIN:
                self._retry(client, sent)
        if self._chance.random() < _DELETED:
            self._have_deleted(client, sent)

    def _retry(self, client: httpx.Client, sent: Sent) -> None:
        self._retries += 1
        found: Retry | None = retry_of(self._chance, sent, f"{sent.name}!r{self._retries}", self._new_key())
        if found is None:
            return
        if found.may_be_refused:
            self._refusable.add(found.sent.name)
        if found.made:
            self._made[found.sent.name] = found.made
        self._send(client, found.sent)

    def _have_deleted(self, client: httpx.Client, sent: Sent) -> None:
        """Delete it; where the answer is lost it is deleted or not."""
        sent.delete_asked = True
        self._journal.note("delete", sent)
        try:
            answer = client.delete(sent.job_path)
        except httpx.TransportError as error:
            self._journal.note("lost", sent, fault=type(error).__name__)
            return
        sent.deleted = answer.status_code == http.HTTPStatus.NO_CONTENT
        if not sent.deleted and answer.status_code != http.HTTPStatus.SERVICE_UNAVAILABLE:
            self._journal.accuse("a done job can be deleted", f"{sent.name}: {answer.status_code}")
