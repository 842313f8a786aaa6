"""What migrations say of older code: none serves code that one before it has locked out."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

from shared import persistence
from shared.persistence.core.schema_version import revisions

VERSIONS = Path(persistence.__file__).parent / "migrations" / "versions"


def test_no_migration_serves_code_that_one_before_it_does_not_serve() -> None:
    known = revisions().known
    serves = {}
    for path in VERSIONS.glob("*.py"):
        said = dict(
            re.findall(r'^(revision|serves) = "(\w+)"$', path.read_text(encoding="utf-8"), re.MULTILINE)
        )
        serves[said["revision"]] = said.get("serves", said["revision"])

    oldest = [known.index(serves[revision]) for revision in known]

    # Whoever may go on with the tables of one script has gone on with those of all before it.
    assert [known[at + 1] for at, (before, own) in enumerate(pairwise(oldest)) if own < before] == []
