"""The measures of the house as rows: what is measured, what it comes to, and what is wanted."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import NamedTuple

from tests.house.imports import cycles, import_graph
from tests.house.references import dangling
from tests.house.sizes import BODY_LINES_MAX, MODULE_LINES_MAX, bodies, undocumented
from tests.house.suppressions import suppressions
from tests.house.tree import ROOMS, program
from tests.house.words import RETIRED, doubled_classes, missing_terms


class Measure(NamedTuple):
    """A row of the table."""

    what: str
    found: str
    wanted: str


def measures() -> Iterator[Measure]:
    """Measure the tree as it is."""
    yield from _modules()
    yield from _names()
    lost = dangling()
    yield Measure("citations that lead nowhere", f"{len(lost)}  {'; '.join(lost[:5])}", "0")
    reasons = [has_reason for _, has_reason in suppressions()]
    yield Measure("suppressions without a reason", f"{reasons.count(False)} of {len(reasons)}", "0")


def _modules() -> Iterator[Measure]:
    sources = program()
    by_room = ", ".join(f"{room} {sum(one.path.startswith(f'{room}/') for one in sources)}" for room in ROOMS)
    yield Measure("modules", f"{len(sources)} ({by_room})", "")
    lines = statistics.median(one.lines for one in sources)
    longest = max(sources, key=lambda one: one.lines)
    yield Measure("lines of a module: median", f"{lines:g}", "80")
    yield Measure("lines of a module: longest", f"{longest.lines}  {longest.name}", f"{MODULE_LINES_MAX}")
    long = [one for one in bodies(sources) if one.lines > BODY_LINES_MAX]
    told = "; ".join(f"{one.name} {one.lines}{' (a table)' if one.is_table else ''}" for one in long)
    yield Measure(f"bodies > {BODY_LINES_MAX} lines", f"{len(long)}  {told}", "tables only")
    circles = cycles(import_graph(sources))
    yield Measure("circles of imports", f"{len(circles)}  {circles or ''}", "0")


def _names() -> Iterator[Measure]:
    silent, public = undocumented(program())
    share = 100 * (public - len(silent)) / public
    yield Measure("public names that are documented", f"{share:.1f} % of {public}", "100 %")
    counts = {retired.word: retired.found().total() for retired in RETIRED}
    gone = sum(not count for count in counts.values())
    yield Measure("retired words that are gone", f"{gone} of {len(counts)}", f"{len(counts)}")
    left = {word: count for word, count in counts.items() if count}
    yield Measure("names with the others", f"{sum(left.values())}", "0")
    yield from (Measure(f"  {word}", f"{count}", "0") for word, count in left.items())
    doubled = doubled_classes(program())
    yield Measure("names that several classes have", f"{len(doubled)}  {', '.join(doubled)}", "0")
    missing = missing_terms()
    yield Measure("terms of the field that the source has not", f"{len(missing)}  {', '.join(missing)}", "0")
