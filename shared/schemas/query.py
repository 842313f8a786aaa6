"""A query string's parameters → values, or all that is wrong with them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from marshmallow import RAISE, Schema, ValidationError

from shared.domain.outcome import Fault, pointer_step
from shared.domain.reasons import SENT_TWICE, UNKNOWN_FIELD
from shared.schemas.fields import Labels
from shared.schemas.order.parameters import NAME_CHARS
from shared.schemas.order.reading import faults_of


def read_query(schema: Schema, sent: Sequence[tuple[str, str]]) -> dict[str, Any] | list[Fault]:
    """Read parameters, each known; a pointer of a fault is into the object that they stand for.

    Each stands once, except for labels.
    """
    query: dict[str, Any] = dict(sent)
    names = [name for name, _ in sent]
    repeatable = {name for name, field in schema.fields.items() if isinstance(field, Labels)}
    query |= {name: [value for its, value in sent if its == name] for name in repeatable & query.keys()}
    known = schema.fields.keys() - repeatable
    faults = [
        Fault(SENT_TWICE, f"/{pointer_step(name)}", "stands more than once; send it once")
        for name in query
        if name in known and names.count(name) > 1
    ]
    try:
        values: dict[str, Any] = schema.load(query, unknown=RAISE)
    except ValidationError as error:
        return [*faults, *faults_of(error, query)]
    return faults or values


def parameter_names(schema: type[Schema]) -> tuple[str, ...]:
    """The names of the parameters that a query of this schema may have."""
    return tuple(schema._declared_fields)  # noqa: SLF001 - there is no other way without an instance


def unknown_parameters(known: Collection[str], sent: Iterable[str], where: str) -> list[Fault]:
    """A fault for each name that is no parameter of ``where``: to ignore it would be to answer with more."""
    way_out = f"it knows {', '.join(known)}" if known else "it takes none"
    msg = f"is no parameter of {where}; {way_out}"
    return [
        Fault(UNKNOWN_FIELD, f"/{pointer_step(name[:NAME_CHARS])}", msg)
        for name in dict.fromkeys(sent)
        if name not in known
    ]
