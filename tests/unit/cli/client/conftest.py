"""The small server that the client commands talk to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.small_server import SmallServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def server() -> Iterator[SmallServer]:
    with SmallServer() as small:
        yield small
