"""One word a thing: the words that names used to have, each with the field's own that is said instead.

Names are meant: identifiers, names of files, and what a page shows as code. Prose may speak as it likes.
"""

from __future__ import annotations

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from tests.house.tree import ROOMS, Source, pages, program, sources

TELL_OF_OLD_WORDS: Final = ("CHANGELOG.md", "docs/glossary.md")
"""Pages that have to say how a thing was called once."""
EVERYWHERE: Final = (*ROOMS, "bench", "tests", "docs")


@dataclass(frozen=True)
class Retired:
    """A word that names no longer have, and what is said instead.

    ``names`` is a pattern of whole identifiers, ``where`` the folders whose names are meant.
    """

    word: str
    say: str
    names: str
    where: tuple[str, ...] = EVERYWHERE

    def found(self) -> Counter[str]:
        """How often names have it still, by file."""
        found = Counter({path: sum(names.values()) for path, names in self._in_files()})
        return +found

    def names_left(self) -> set[str]:
        """The names that have it still, wherever and however often they stand."""
        return {name for _, names in self._in_files() for name in names}

    def _in_files(self) -> Iterator[tuple[str, Counter[str]]]:
        pattern = re.compile(self.names)
        for path, names in _names(self.where):
            yield path, Counter({name: n for name, n in names.items() if pattern.fullmatch(name)})


def _names(where: tuple[str, ...]) -> Iterator[tuple[str, Counter[str]]]:
    for source in sources():
        if source.path.startswith(tuple(f"{one}/" for one in where)):
            yield source.path, source.names
    for path, text in pages().items() if "docs" in where else ():
        if path not in TELL_OF_OLD_WORDS:
            shown = " ".join(re.findall(r"`([^`\n]+)`", text))
            yield path, Counter(re.findall(r"\w+(?:\(\))?", shown))


_CODE: Final = (*ROOMS, "bench", "tests")
RETIRED: Final = (
    Retired("promise", "accept, insert", r"\w*[Pp]romis(?:e|es|ed|ing)(?:[A-Z_]\w*)?"),
    Retired(
        "rounds",
        "GroupCommit, submit",
        r"(?!round\b)_?(?:\w+_)?[Rr]ounds?(?:_\w+)?|Together",
        where=("api",),
    ),
    Retired("body_room", "memory budget", r"\w*body_rooms?\w*|BodyRoom"),
    Retired("parts()", "AppContext", r"Parts|parts\(\)|parts_of"),
    Retired("facts()", "RequestContext", r"RequestFacts|facts\(\)|begin_facts"),
    Retired("workshop", "WorkerContext", r"\w*[Ww]orkshop\w*"),
    Retired("mail_room", "MailContext", r"\w*mail_room\w*|MailRoom\w*"),
    Retired("refusal", "ApiError", r"\w*[Rr]efusals?(?:[A-Z_]\w*)?"),
    Retired("answer", "response", r"\w*[Aa]nswers?(?:[A-Z_]\w*)?", where=("api",)),
    Retired("find_caller", "authenticate", r"find_caller"),
    Retired("check_scope", "authorize", r"check_scope"),
    Retired("request_log", "access log", r"\w*request_log\w*"),
    Retired("in_turn", "settle", r"in_turn|_?Turn|while_away", where=("worker",)),
    Retired("patience", "retry decision", r"\w*[Pp]atience\w*", where=("worker",)),
    Retired("deadly", "poison", r"\w*[Dd]eadly\w*"),
    Retired("set_aside", "quarantine", r"\w*set_aside\w*"),
    Retired("giving_way", "preemption", r"\w*(?:giving|gave|gives|give)_way\w*|GivingWay"),
    Retired("signs", "liveness, ping", r"_?(?:\w+_)?[Ss]igns(?:_\w+)?|Signs\w+"),
    Retired("silent", "watchdog", r"\w*[Ss]ilent\w*", where=("worker", "cli/processes")),
    Retired("handover", "delivery", r"\w*(?<!smtp-)[Hh]andover\w*|NotOurs|Later|Refused", where=_CODE),
    Retired("fault_points", "failpoint", r"fault_points?|_?reached", where=ROOMS),
    Retired(
        "shelf",
        "AvailableStock",
        r"(?:\w+_)?_?(?:[Ss]helf|[Ss]helves|[Ss]helved?)(?:_\w+)?|Shelved",
    ),
    Retired("Want", "Demand", r"Wants?"),
    Retired("Take", "Reservation", r"Takes?"),
    Retired("Place", "StockKey, SalesChannel", r"Places?"),
    Retired("Reference", "CatalogIndex", r"References?"),
    Retired("References", "OrderNames", r"_?references", where=("shared", "worker")),
    Retired("lifeline", "parent_death_signal", r"\w*[Ll]ifeline\w*"),
    Retired("area", "data_dir", r"_?[Aa]rea"),
    Retired("listening", "listen_socket", r"\w*listening\w*", where=("cli", "tests")),
    Retired("written_whole", "atomic_write", r"\w*written_whole\w*"),
    Retired("chore", "periodic task", r"\w*[Cc]hores?\w*"),
    Retired("door", "API, app", r"_?(?:\w+_)?[Dd]oors?(?:_\w+)?"),
)
"""In the order of the glossary."""

LEFT: Final[Mapping[str, int]] = {}
"""How many different names have which word still. It may shrink, and never grow."""

TERMS: Final = (
    "atomic",
    "backoff",
    "failpoint",
    "group commit",
    "jitter",
    "liveness",
    "memory budget",
    "middleware",
    "ping",
    "poison",
    "preemption",
    "quarantine",
    "redispatch",
    "retry decision",
    "watchdog",
)
"""What somebody who knows the field would search the program for."""


def missing_terms() -> list[str]:
    """The terms of the field that no docstring of the program has."""
    said = "\n".join(" ".join(text.split()) for source in program() for text in source.docstrings).lower()
    return [term for term in TERMS if term not in said]


def doubled_classes(among: Iterable[Source]) -> dict[str, list[str]]:
    """The public names that several classes have, each with the modules where they stand."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for source in among:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(source.name)
    return {name: modules for name, modules in sorted(found.items()) if len(modules) > 1}
