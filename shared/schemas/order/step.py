"""Steps of an order's life as they are sent, shipments and cancellations: from bytes to a request."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, Generic, TypeVar, cast
from zoneinfo import ZoneInfo

import msgspec
from marshmallow import ValidationError

from shared.domain.cancellation import CancellationRequest
from shared.domain.completion import Misread
from shared.domain.order import MOST_NUMBER, MOST_QUANTITY
from shared.domain.outcome import MOST_IGNORED, Fault, quoted
from shared.domain.reasons import (
    NOT_OBJECT,
    NOT_READABLE,
    NOT_WHOLE,
    SHIPMENT_EMPTY,
    TOO_MANY,
    UNKNOWN_FIELD,
)
from shared.domain.shipment import ShipmentRequest
from shared.schemas.exact_json import read_exactly
from shared.schemas.fields import Moment, Text, ValueField, Whole, wrong
from shared.schemas.order.parameters import COMMENT_CHARS, described, short_text
from shared.schemas.order.reading import UNKNOWN, faults_of
from shared.schemas.order.sent import Sent, known_members, unknown_members

LINE_ID = "^[1-9][0-9]{0,15}$"
"""How the id of a line is written as the name of a member."""

_LINE_ID = re.compile(LINE_ID)

Made = TypeVar("Made")


class UnitsByLine(ValueField):
    """An object of units by line id, of at most ``most`` lines."""

    def __init__(self, *, most: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.most = most
        self.units = Whole(least=1, most=MOST_QUANTITY)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Mapping[int, int]:
        # PHP writes an empty object so. It is not taken for absent: that would ship everything.
        if value in ({}, []):
            raise wrong(SHIPMENT_EMPTY, "names no line; leave it out to ship all that remains")
        if not isinstance(value, dict):
            raise wrong(NOT_OBJECT, f"{quoted(value)} is not an object of units by line id")
        if len(value) > self.most:
            text = f"has {len(value)} lines; {self.most} are the most"
            raise wrong(TOO_MANY, text, count=len(value), most=self.most)
        read: dict[int, int] = {}
        errors: dict[str, Any] = {}
        for name, units in value.items():
            try:
                if not _LINE_ID.fullmatch(name):
                    raise wrong(NOT_WHOLE, f"{quoted(name)} is not the id of a line, a whole number")
                read[int(name)] = cast("int", self.units.deserialize(units))
            except ValidationError as error:
                errors[name] = error.messages
        if errors:
            raise ValidationError(errors)
        return read


class StepSchema(Sent):
    """A step of an order's life."""

    def __init__(self, *, zone: ZoneInfo, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.zone = zone

    order = Whole(
        required=True, least=1, most=MOST_NUMBER, metadata=described("The number of the order, or of a part.")
    )


class ShipmentSchema(StepSchema):
    """A shipment: what of an order has left."""

    names = frozenset({"carrier", "service", "tracking", "reference"})

    def __init__(self, *, zone: ZoneInfo, max_lines: int, **kwargs: Any) -> None:
        super().__init__(zone=zone, **kwargs)
        units = self.fields.get("products")
        if isinstance(units, UnitsByLine):
            units.most = max_lines

    products = UnitsByLine(
        most=0,
        allow_none=True,
        metadata=described("Units by line id (`lineId` of `GET /v1/orders`); absent: all that remains."),
    )
    shipped = Moment(allow_none=True, metadata=described("When it left; else now."))
    carrier = short_text("Who carries it.")
    service = short_text("The carrier's service.")
    tracking = short_text("The carrier's number of it, or where it can be followed.")
    reference = short_text("Your own name for it: the same again on an order is the same shipment.")


class CancellationSchema(StepSchema):
    """A cancellation of an order that has not shipped."""

    reason = Text(most=COMMENT_CHARS, allow_none=True, metadata=described("Why, for the shop."))


class StepReader(Generic[Made]):
    """Reads steps of one kind; ``strict`` makes each unknown member an error."""

    def __init__(
        self,
        what: str,
        schema: StepSchema,
        make: Callable[[Mapping[str, Any], tuple[str, ...]], Made],
        *,
        strict: bool,
    ) -> None:
        self._what = what
        self._schema = schema
        self._make = make
        self._strict = strict
        self._known = known_members(schema)

    def read(self, raw: bytes | msgspec.Raw) -> Made | Misread:
        """Read one step of JSON whose syntax has been checked."""
        try:
            sent = read_exactly(raw)
        except (ValueError, RecursionError) as error:
            return Misread((Fault(NOT_READABLE, "", f"the {self._what} cannot be read: {error}"),))
        if not isinstance(sent, dict):
            return Misread((Fault(NOT_OBJECT, "", f"the {self._what} is {quoted(sent)}; send an object"),))
        unknown = unknown_members(sent, self._known)
        faults = [Fault(UNKNOWN_FIELD, at, UNKNOWN) for at in unknown] if self._strict else []
        ignored = () if self._strict else tuple(islice(unknown, MOST_IGNORED))
        values: dict[str, Any]
        try:
            values = self._schema.load(sent)
        except ValidationError as error:
            faults += faults_of(error, sent)
            values = error.valid_data if isinstance(error.valid_data, dict) else {}
        if faults:
            return Misread(tuple(faults), ignored=ignored, order=values.get("order"))
        return self._make(values, ignored)


def _without_order(*, named: bool) -> tuple[str, ...]:
    return () if named else ("order",)


def shipment_schema(*, zone: ZoneInfo, max_lines: int, named: bool) -> ShipmentSchema:
    """The schema of a shipment, for reading and for describing; ``named``: it names its order."""
    return ShipmentSchema(zone=zone, max_lines=max_lines, exclude=_without_order(named=named))


def cancellation_schema(*, zone: ZoneInfo, named: bool) -> CancellationSchema:
    """The schema of a cancellation, for reading and for describing; ``named``: it names its order."""
    return CancellationSchema(zone=zone, exclude=_without_order(named=named))


def shipment_reader(
    *, zone: ZoneInfo, max_lines: int, named: bool, strict: bool
) -> StepReader[ShipmentRequest]:
    """What reads shipments."""
    schema = shipment_schema(zone=zone, max_lines=max_lines, named=named)
    return StepReader("shipment", schema, _shipment, strict=strict)


def _shipment(values: Mapping[str, Any], ignored: tuple[str, ...]) -> ShipmentRequest:
    return ShipmentRequest(
        products=values.get("products"),
        shipped_at=values.get("shipped"),
        carrier=values.get("carrier"),
        service=values.get("service"),
        tracking=values.get("tracking"),
        reference=values.get("reference"),
        ignored=ignored,
        order=values.get("order"),
    )


def cancellation_reader(*, zone: ZoneInfo, named: bool, strict: bool) -> StepReader[CancellationRequest]:
    """What reads cancellations."""
    return StepReader(
        "cancellation", cancellation_schema(zone=zone, named=named), _cancellation, strict=strict
    )


def _cancellation(values: Mapping[str, Any], ignored: tuple[str, ...]) -> CancellationRequest:
    return CancellationRequest(reason=values.get("reason"), ignored=ignored, order=values.get("order"))
