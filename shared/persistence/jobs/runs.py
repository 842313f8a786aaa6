"""Slices in runs: so many of them that are read at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def runs(
    slice_ids: Sequence[int], sizes: Sequence[int], piece_bytes: int, *, begin: int = 0
) -> Iterator[list[int]]:
    """Cut slices of these sizes into runs of about so many bytes, and one slice at least."""
    run: list[int] = []
    run_bytes = 0
    for at in range(begin, len(slice_ids)):
        if run and run_bytes + sizes[at] > piece_bytes:
            yield run
            run, run_bytes = [], 0
        run.append(slice_ids[at])
        run_bytes += sizes[at]
    if run:
        yield run
