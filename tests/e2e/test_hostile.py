"""One hostile check through the frame that runs them all; `python -m tests.hostile` is the whole of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from shared.settings import Settings
from tests.hostile.__main__ import chosen_checks
from tests.hostile.check import run_check
from tests.hostile.ground import Ground


def test_a_key_of_millions_of_letters_does_not_come_back(
    fresh_settings: Callable[[str], AbstractContextManager[Settings]],
) -> None:
    [check] = chosen_checks(["what_is_refused_does_not_come_back_whole"])

    result = run_check(check, Ground(lambda: fresh_settings("test")))

    assert result.fault == ""
    assert [cost for cost in result.costs if not cost.is_kept] == []
