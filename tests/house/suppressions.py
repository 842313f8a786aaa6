"""Where a checker is told to look away: each such comment says why, or is counted."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.house.tree import sources

_LOOKS_AWAY = re.compile(r"#\s*(noqa(?::\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*)?|type:\s*ignore(?:\[[\w, -]+\])?)")


def suppressions() -> Iterator[tuple[str, bool]]:
    """Each such comment as ``file:line what``, and whether a reason stands behind it."""
    for source in sources():
        for line, comment in source.comments:
            found = list(_LOOKS_AWAY.finditer(comment))
            if found:
                said = _LOOKS_AWAY.sub("", comment).strip(" #-")
                yield f"{source.path}:{line} {found[0][1]}", bool(said)
