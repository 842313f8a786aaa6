"""The API's column of the table of kinds: the paths to which each is sent, and the scope that it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from api.middleware.auth import requires
from api.orders.views import batch_view, one_view
from api.route import Route
from shared.domain.kinds import KINDS, JobKind
from shared.schemas.batch_options import BatchOptionsQuery, OrderOptionsQuery

if TYPE_CHECKING:
    from marshmallow import Schema


@dataclass(frozen=True, kw_only=True)
class KindPaths:
    """Where a kind is sent: a keyed batch, and one element; a ``number`` in its path is that of its order."""

    batch: str
    one: str
    scope: str = "orders:write"
    options: type[Schema] = BatchOptionsQuery
    """What may be asked for a batch, as parameters of its query."""


PATHS: Final[Mapping[JobKind, KindPaths]] = {
    JobKind.ORDERS: KindPaths(batch="/v1/orders", one="/v1/order", options=OrderOptionsQuery),
    JobKind.COMPLETIONS: KindPaths(batch="/v1/completions", one="/v1/order/<int:number>"),
    JobKind.SHIPMENTS: KindPaths(batch="/v1/shipments", one="/v1/order/<int:number>/shipments"),
    JobKind.CANCELLATIONS: KindPaths(batch="/v1/cancellations", one="/v1/order/<int:number>/cancel"),
}


def kind_routes(kind: JobKind) -> tuple[Route, Route]:
    """The routes of a kind: of a batch, and of one."""
    paths, row = PATHS[kind], KINDS[kind]
    permission = requires(paths.scope)
    return (
        Route("POST", paths.batch, permission, batch_view(row.batch), query=paths.options),
        Route("POST", paths.one, permission, one_view(row.one)),
    )
