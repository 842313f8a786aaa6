"""What a new installation still lacks before it can take an order."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine, exists, select

from shared.persistence.core.database import transaction
from shared.persistence.core.tables import api_keys, items


@dataclass(frozen=True)
class FirstSteps:
    """Whether there is anything of each yet."""

    has_keys: bool
    has_items: bool


def first_steps(engine: Engine) -> FirstSteps:
    """Look for an API key that is not revoked, and for an item. Raises PersistenceError."""
    usable = exists().where(api_keys.c.revoked_at.is_(None))
    known = exists().where(items.c.id.is_not(None))
    with transaction(engine) as connection:
        has_keys, has_items = connection.execute(select(usable, known)).one()
    return FirstSteps(has_keys, has_items)
