"""The list of mutants keeps up with the code: running all of them takes minutes, this does not."""

from __future__ import annotations

import ast

import pytest

from tests.mutants.catalog import MUTANTS
from tests.mutants.mutant import ROOT, Mutant


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_can_still_be_made_and_names_tests_that_are_there(mutant: Mutant) -> None:
    sources: dict[str, str] = {}
    for change in mutant.changes:
        source = sources.get(change.path) or (ROOT / change.path).read_text(encoding="utf-8")
        sources[change.path] = change.applied(source)

    for source in sources.values():
        ast.parse(source)
    assert mutant.tests or mutant.campaign
    for test in mutant.tests:
        path, _, name = test.partition("::")
        assert f"def {name.partition('[')[0]}" in (ROOT / path).read_text(encoding="utf-8")


def test_there_are_at_least_fourteen_mutants_and_no_two_of_one_name() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 14
