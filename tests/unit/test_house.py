"""The laws of the house that are measured: sizes, circles, words, citations, and what suppressions say."""

from __future__ import annotations

import re

import pytest

from tests.house.imports import cycles, import_graph
from tests.house.references import dangling, lost_paths, lost_sections
from tests.house.report import measures
from tests.house.sizes import BODY_LINES_MAX, MODULE_LINES_MAX, bodies, undocumented
from tests.house.suppressions import suppressions
from tests.house.tree import ROOT, Source, files, pages, program, read
from tests.house.words import LEFT, RETIRED, Retired, doubled_classes, missing_terms


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert cycles(import_graph(program())) == []


def test_a_circle_is_seen_through_others_and_through_imports_for_types() -> None:
    guarded = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from api.a import A\n"
    sources = [
        Source("api/a.py", "from api.b import B\n"),
        Source("api/b.py", "def late():\n    import api.c\n"),
        Source("api/c.py", guarded),
        Source("api/d.py", "from api import a\n"),
    ]

    assert cycles(import_graph(sources)) == [["api.a", "api.b", "api.c"]]


def test_no_module_is_longer_than_it_may_be() -> None:
    assert [one.name for one in program() if one.lines > MODULE_LINES_MAX] == []


def test_no_body_is_longer_than_it_may_be_unless_it_is_a_table() -> None:
    too_long = [one for one in bodies(program()) if one.lines > BODY_LINES_MAX and not one.is_table]

    assert too_long == []


def test_a_body_of_many_steps_is_no_table() -> None:
    table = "def rows():\n    " + '"""Rows."""\n    return [\n' + "        1,\n" * 50 + "    ]\n"
    steps = "def steps():\n" + "    print()\n" * 50
    branches = "def branches():\n    if now:\n" + "        print()\n" * 50

    seen = list(bodies([Source("api/a.py", table), Source("api/b.py", steps), Source("api/c.py", branches)]))

    assert [(one.lines, one.is_table) for one in seen] == [(52, True), (50, False), (51, False)]


def test_all_that_others_may_use_is_documented() -> None:
    assert undocumented(program())[0] == []


def test_persistence_folders_know_the_core_and_not_each_other() -> None:
    room = "shared.persistence."

    def folder(name: str) -> str:
        return name.removeprefix(room).split(".")[0]

    strangers = [
        (name, other)
        for name, others in import_graph(program()).items()
        for other in others
        if name.startswith(room) and other.startswith(room) and folder(other) not in {folder(name), "core"}
    ]

    assert strangers == []


@pytest.mark.parametrize("retired", RETIRED, ids=lambda retired: retired.word)
def test_no_name_takes_up_a_retired_word_again(retired: Retired) -> None:
    left = retired.names_left()

    assert len(left) <= LEFT.get(retired.word, 0), f"say {retired.say} instead: {sorted(left)}"


@pytest.mark.parametrize("retired", RETIRED, ids=lambda retired: retired.word)
def test_a_retired_word_is_in_the_glossary(retired: Retired) -> None:
    assert f"| `{retired.word}` | {retired.say} |" in read("docs/glossary.md")


@pytest.mark.parametrize("retired", RETIRED, ids=lambda retired: retired.word)
def test_what_is_said_instead_of_a_retired_word_is_explained(retired: Retired) -> None:
    explained, _, _ = read("docs/glossary.md").partition("\n## Retired words\n")
    words = " ".join(re.findall(r"^\|([^|]+)\|", explained, re.MULTILINE))

    assert [word for word in retired.say.split(", ") if not re.search(rf"(?i)\b{word}\b", words)] == []


def test_words_that_are_left_are_words_of_the_list() -> None:
    assert not LEFT.keys() - {retired.word for retired in RETIRED}


def test_no_two_classes_of_the_program_have_one_name() -> None:
    assert doubled_classes(program()) == {}


def test_a_name_that_two_classes_have_is_seen() -> None:
    sources = [Source("api/a.py", "class Place: ...\n"), Source("api/b.py", "class Place: ...\n")]

    assert doubled_classes(sources) == {"Place": ["api.a", "api.b"]}


def test_the_program_says_the_fields_terms_where_they_are_searched_for() -> None:
    assert missing_terms() == []


def test_a_word_is_seen_in_names_and_calls_and_not_in_prose() -> None:
    source = Source("api/door_open.py", '"""The door."""\ndoor = parts()  # a door\nparts = "door"\n')

    assert source.names["door_open"] == 1
    assert source.names["door"] == 1
    assert source.names["parts()"] == 1


@pytest.mark.parametrize("path", [path for path in pages() if path.startswith("docs/adr/")])
def test_a_decision_says_what_it_costs_and_when_to_look_again(path: str) -> None:
    page = read(path)

    assert page.startswith(f"# {int(path.rsplit('/', maxsplit=1)[-1][:4])}. ")
    for part in ("**Decision.**", "**What it costs.**", "**Look again when**"):
        assert part in page


def test_no_file_holds_what_a_merge_left_behind() -> None:
    left = re.compile(r"^(?:<{7}|>{7}) ", re.MULTILINE)
    texts = {path: (ROOT / path).read_text("utf-8", errors="replace") for path in files()}

    assert [path for path, text in texts.items() if left.search(text)] == []


def test_whatever_is_cited_is_there() -> None:
    assert dangling() == []


@pytest.mark.parametrize(
    "lost", ["contract §99", "contract §2 and 77", "seed §1", "§4", "Architecture §1, 6"]
)
def test_a_section_that_is_not_there_is_seen(lost: str) -> None:
    assert list(lost_sections(f"see {lost}: it says so")) != []


def test_sections_that_are_there_are_not_accused() -> None:
    assert list(lost_sections('Contract §1, 2 and 5; contract §6, "Stock"; architecture §1, step 9')) == []


@pytest.mark.parametrize(
    "lost",
    [
        "api/nowhere.py",
        "docs/nowhere.md",
        "`shared/nowhere/`",
        "tests/unit/no_*.py",
        "api/app.py::nothing",
        "api/stock.py::list_stock.deeper",
        "[page](docs/nowhere.md)",
        "[page](nowhere)",
        "NOWHERE.md",
    ],
)
def test_a_path_or_name_that_is_not_there_is_seen(lost: str) -> None:
    assert list(lost_paths("README.md", f"see {lost}, which says so")) != []


def test_paths_that_are_there_are_not_accused() -> None:
    cited = "`api/app.py::create_app`, docs/adr/, tests/unit/test_*.py, [decisions](docs/adr), README.md."

    assert list(lost_paths("README.md", cited)) == []


def test_suppressions_say_why() -> None:
    silent = [what for what, has_reason in suppressions() if not has_reason]

    assert silent == []


def test_the_house_is_told_as_a_table() -> None:
    told = {row.what: row.found for row in measures()}

    assert told["circles of imports"].split()[0] == "0"
    assert re.match(r"\d+ \(api \d+", told["modules"])
