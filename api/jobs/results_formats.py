"""What outcomes are written as: a keyed JSON object, lines of JSON, or a table for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import orjson

from api.jobs.results_csv import CsvTable
from api.web.media_type import CSV, JSON, LINES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from api.jobs.chosen_outcomes import ChosenOutcome

_NO_NEWLINES: Final = bytes.maketrans(b"\r\n", b"  ")


class ResultsFormat(Protocol):
    """Writes a run of outcomes at a time, none of them empty; ``begin`` and ``end`` stand around all."""

    media_type: str
    begin: bytes
    end: bytes

    def write(self, run: Sequence[ChosenOutcome]) -> bytes:
        """Give the bytes of a run."""


class KeyedObject:
    """One JSON object, ``{key: outcome, …}``."""

    media_type = JSON
    begin = b"{"
    end = b"}"

    def __init__(self) -> None:
        self._separator = b""

    def write(self, run: Sequence[ChosenOutcome]) -> bytes:
        """The members of a run."""
        separator, self._separator = self._separator, b","
        return separator + b",".join(orjson.dumps(one.key) + b":" + _with_sent(one) for one in run)


class BareOutcome:
    """The one outcome of a job of a single order."""

    media_type = JSON
    begin = b""
    end = b"{}"
    """Said where there is no outcome."""

    def write(self, run: Sequence[ChosenOutcome]) -> bytes:
        """The outcome."""
        self.end = b""
        return b"".join(_with_sent(one) for one in run)


class JsonLines:
    """A line of JSON for each outcome, with its key and position."""

    media_type = LINES
    begin = b""
    end = b""

    def write(self, run: Sequence[ChosenOutcome]) -> bytes:
        """The lines of a run."""
        return b"".join(
            b'{"key":%b,"position":%d,%b\n' % (orjson.dumps(one.key), one.position, _on_a_line(one)[1:])
            for one in run
        )


def _with_sent(one: ChosenOutcome) -> bytes:
    outcome = bytes(one.outcome)
    return outcome if one.sent is None else b'%b,"sent":%b}' % (outcome[:-1], bytes(one.sent))


def _on_a_line(one: ChosenOutcome) -> bytes:
    # In JSON a line ends between values only; within a text it is escaped.
    return _with_sent(one).translate(_NO_NEWLINES)


RESULTS_FORMATS: Final[Mapping[str, Callable[[], ResultsFormat]]] = {
    JSON: KeyedObject,
    LINES: JsonLines,
    CSV: CsvTable,
}
"""By media type, the one that is given unless another is asked for first."""
