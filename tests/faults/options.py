"""What a batch of the campaign is asked to be treated like, as parameters and as its job tells it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True, kw_only=True)
class Options:
    """Those of POST /v1/orders; ``not_before`` in seconds since 1970."""

    ordered: bool = False
    unique_keys: bool = False
    validate_only: bool = False
    atomic: bool = False
    max_failed: int | None = None
    not_before: float | None = None
    reference: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def in_order(self) -> bool:
        """Whether orders are decided in the order that was sent, asked for or not."""
        return self.ordered or self.validate_only or self.atomic

    @property
    def query(self) -> str:
        """What follows the path, ``""`` where nothing is asked for."""
        asked = list(self._asked())
        return f"?{urlencode(asked)}" if asked else ""

    def _asked(self) -> Iterator[tuple[str, str]]:
        flags = {
            "ordered": self.ordered,
            "uniqueKeys": self.unique_keys,
            "validateOnly": self.validate_only,
            "atomic": self.atomic,
        }
        yield from ((name, "true") for name, wanted in flags.items() if wanted)
        if self.max_failed is not None:
            yield "maxFailed", str(self.max_failed)
        if self.not_before is not None:
            yield "notBefore", _moment(self.not_before).isoformat()
        if self.reference is not None:
            yield "reference", self.reference
        yield from (("label", f"{name}:{value}") for name, value in self.labels.items())

    def of_retry(self) -> Options:
        """Those of a retry of what was sent with these."""
        return replace(self, not_before=None)

    def are_told_by(self, job: Mapping[str, Any]) -> bool:
        """Whether a job tells them."""
        told = job["notBefore"]
        at = None if told is None else datetime.fromisoformat(told)
        wanted = None if self.not_before is None else _moment(self.not_before)
        flags = (job["ordered"], job["uniqueKeys"], job["dryRun"], job["atomic"])
        return (
            flags == (self.in_order, self.unique_keys, self.validate_only, self.atomic)
            and (job["maxFailed"], job["reference"]) == (self.max_failed, self.reference)
            and job["labels"] == self.labels
            and at == wanted
        )


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


AS_USUAL: Final = Options()
