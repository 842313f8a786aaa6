"""The table of kinds: every form belongs to one kind, and every kind has its row wherever kinds differ."""

from __future__ import annotations

from api.orders.kinds import PATHS
from shared.domain.kinds import KINDS, JobForm, JobKind
from worker.settle.kinds import SETTLING


def test_every_kind_has_its_row() -> None:
    assert set(KINDS) == set(SETTLING) == set(PATHS) == set(JobKind)


def test_every_form_is_of_one_kind() -> None:
    forms = [form for row in KINDS.values() for form in row.forms]

    assert sorted(forms) == sorted(JobForm)
    assert all(form in KINDS[form.kind].forms for form in JobForm)
