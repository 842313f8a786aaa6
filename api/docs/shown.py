"""What the page shows: operations and schemas, as its template reads them."""

from __future__ import annotations

from dataclasses import dataclass

from api.docs.words import Piece


@dataclass(frozen=True, kw_only=True)
class Row:
    """One parameter, member or header."""

    name: str
    kind: list[Piece]
    description: str
    required: bool = False
    place: str = ""
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Sample:
    """An example, written out."""

    title: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Content:
    """A body, sent or answered, in one media type."""

    media_type: str
    kind: list[Piece]
    samples: list[Sample]


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What one status means."""

    status: str
    phrase: str
    description: str
    headers: list[Row]
    contents: list[Content]


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One operation."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    needs_key: bool
    scopes: list[str]
    parameters: list[Row]
    body: str
    contents: list[Content]
    replies: list[Reply]


@dataclass(frozen=True, kw_only=True)
class Group:
    """The operations of one tag."""

    name: str
    description: str
    endpoints: list[Endpoint]


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A component schema: its members, or what it is in words."""

    name: str
    description: str
    kind: list[Piece]
    rows: list[Row]
    rules: list[str]
    values: list[str]
