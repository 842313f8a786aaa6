"""Somebody who counts the stock while everybody takes from them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import httpx
from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    from tests.faults.subject import Subject

_PAUSE_SECONDS = 1.0
_LIMIT_SECONDS = 10.0


class Storekeeper(threading.Thread):
    """Restocks every second until told to stop; what fails is done the next time."""

    def __init__(self, subject: Subject) -> None:
        super().__init__(name="storekeeper", daemon=True)
        self.over = threading.Event()
        self.times = 0
        """How often it has been done."""
        self._subject = subject

    def run(self) -> None:
        """Count, wait, count again."""
        headers = {"API-Authorization": self._subject.key}
        with httpx.Client(
            base_url=self._subject.stack.url, headers=headers, timeout=_LIMIT_SECONDS, trust_env=False
        ) as client:
            while not self.over.wait(_PAUSE_SECONDS):
                try:
                    self._subject.restock(client)
                    self.times += 1
                except (httpx.HTTPError, DBAPIError):
                    continue
