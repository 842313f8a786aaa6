"""What integration tests share: an API key, beside the servers and databases of every test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from shared.clock import utc_now
from shared.persistence.access.keys import create_api_key, find_api_key

if TYPE_CHECKING:
    from sqlalchemy import Engine


@pytest.fixture
def api_key_id(engine: Engine) -> int:
    key = create_api_key(engine, "Shop", ["orders:write"], None, None, utc_now())
    found = find_api_key(engine, key, utc_now())
    assert found is not None
    return found.id
