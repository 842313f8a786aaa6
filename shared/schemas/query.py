"""A query string's parameters → values, or all that is wrong with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from marshmallow import EXCLUDE, RAISE, Schema, ValidationError

from shared.domain.outcome import Fault, pointer_step
from shared.domain.reasons import SENT_TWICE
from shared.schemas.reading import faults_of


def read_query(
    schema: Schema, sent: Sequence[tuple[str, str]], *, strict: bool
) -> dict[str, Any] | list[Fault]:
    """Read parameters; a pointer of a fault is into the object that they stand for.

    ``strict`` makes each unknown one an error; otherwise they are ignored, as an order's are.
    """
    query = dict(sent)
    names = [name for name, _ in sent]
    known = schema.fields.keys()
    faults = [
        Fault(SENT_TWICE, f"/{pointer_step(name)}", "stands more than once; send it once")
        for name in query
        if name in known and names.count(name) > 1
    ]
    try:
        values: dict[str, Any] = schema.load(query, unknown=RAISE if strict else EXCLUDE)
    except ValidationError as error:
        return [*faults, *faults_of(error, query)]
    return faults or values
