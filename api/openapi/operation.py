"""Operations of the OpenAPI document: what one takes, and its responses by status."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from api.web.media_type import JSON

if TYPE_CHECKING:
    from marshmallow import Schema

    from shared.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Example:
    """One example, with the sentence that introduces it."""

    says: str
    value: Any


@dataclass(frozen=True, kw_only=True)
class ResponseDoc:
    """What one status means. ``schema`` is a component's name or a schema; None: there is no body."""

    says: str
    schema: str | dict[str, Any] | None = "Refusal"
    media_type: str = JSON
    also_as: Mapping[str, str] = field(default_factory=dict)
    """Further media types that the same may come as, and what it looks like then."""
    headers: tuple[str, ...] = ()
    examples: Mapping[str, Example] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Body:
    """What a request carries: a component of ``schema``'s name, as JSON; ``by_line``: also as JSON lines."""

    schema: str
    says: str
    by_line: bool = False
    examples: Mapping[str, Example] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One route, described. The responses that its permission and its body imply are added to its own."""

    id: str
    tag: str
    summary: str
    description: str
    responses: Mapping[int, ResponseDoc]
    parameters: tuple[str, ...] = ()
    query: Callable[[Settings], Schema] | None = None
    body: Body | None = None
