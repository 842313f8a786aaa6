"""Route: one method at one path, as the application registers it and OpenAPI describes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Response
    from marshmallow import Schema

    from api.middleware.auth import Permission


View = Callable[..., "Response"]
"""Answers a request: of an AppContext, a RequestContext, and by name what stands in its path."""


@dataclass(frozen=True)
class Route:
    """One method at one path, who may use it, and what answers."""

    method: str
    rule: str
    permission: Permission
    view: View
    is_heavy: bool = False
    """Whether it may keep a connection of the database for long: of those a client has some at once."""
    query: type[Schema] | None = None
    """The parameters that its query may have; None: it has none."""
