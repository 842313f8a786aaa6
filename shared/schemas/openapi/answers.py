"""Outcomes and errors as JSON Schema. They are written by hand, as they are; a test holds them together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from shared.domain.order import MOST_NUMBER
from shared.domain.outcome import MOST_ERRORS, MOST_IGNORED, MOST_KEY_NUMBERS, Code, Reason
from shared.domain.reasons import REASONS

if TYPE_CHECKING:
    from shared.schemas.openapi.fields import JsonSchema

_MEANS: Final = {
    Code.PRODUCT: "a product cannot be added: unknown, inactive, not in the market, or without a price",
    Code.STOCK: "stock error: what is available does not cover the order",
    Code.EMPTY: "the order is empty",
    Code.MISSING: "a required field is missing",
    Code.NUMBER_TAKEN: "the order number exists, or with `uniqueKeys` the key does",
    Code.CUSTOMER: "the customer cannot be registered",
    Code.GENERAL: "general: see msg",
}


def _ref(name: str) -> JsonSchema:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(description: str, required: list[str], **properties: Any) -> JsonSchema:
    return {
        "type": "object",
        "description": description,
        "required": required,
        "properties": properties,
    }


def _meaning(reason: Reason) -> str:
    """What a reason means, with its code and the names of its params."""
    told = f"{reason.means} (code {int(reason.code)})"
    return f"{told}; params: {', '.join(reason.params)}" if reason.params else told


_NUMBER: Final = {"type": "integer", "minimum": 1, "maximum": MOST_NUMBER}
_OK: Final = {"const": "ok"}
_NO: Final = {"const": "no"}
_MSG: Final = {"type": "string", "description": "One sentence that names the field and the value at fault."}
_CODE: Final = {
    "type": "integer",
    # Not one constant each with its meaning: generators of clients take the first for the only one.
    "enum": [int(code) for code in _MEANS],
    "description": "Why, as a number. "
    + "; ".join(f"`{int(code)}`: {means}" for code, means in _MEANS.items())
    + ".",
}
_REASON: Final = {
    "type": "string",
    "description": "Why, as a word that machines may group by. A released one never changes its meaning; new "
    "ones may come.",
    "oneOf": [{"const": reason.name, "description": _meaning(reason)} for reason in REASONS],
}
_IGNORED: Final = {
    "type": "array",
    "items": {"type": "string"},
    "minItems": 1,
    "maxItems": MOST_IGNORED,
    "description": "Members of the order that are no parameters, as JSON pointers (RFC 6901): nothing came of"
    " them. Absent when there were none; with `Prefer: handling=strict`, each is an error instead.",
}
_SENT: Final = {"description": "The order as it was sent; only where that is asked for."}
_ERRORS: Final = {"type": "array", "items": _ref("Fault"), "description": "Everything that is wrong."}

ANSWERS: Final[dict[str, JsonSchema]] = {
    "Fault": _object(
        "One thing that is wrong.",
        ["pointer", "reason", "msg", "params"],
        pointer={"type": "string", "description": "Where: a JSON pointer (RFC 6901)."},
        reason=_REASON,
        msg={"type": "string", "description": "What, for people."},
        params={
            "type": "object",
            "description": "What the reason says beside the message, under the names that it has for it.",
            "additionalProperties": {},
        },
    ),
    "Created": _object(
        "The order exists; under several numbers when it was split.",
        ["status", "orders"],
        status=_OK,
        orders={"type": "array", "items": _NUMBER, "minItems": 1, "description": "Its order numbers."},
        ignored=_IGNORED,
        sent=_SENT,
    ),
    "Prepared": _object(
        "`createOnly`: checked and numbered, not completed.",
        ["status", "order"],
        status=_OK,
        order={**_NUMBER, "description": "Its order number."},
        ignored=_IGNORED,
        sent=_SENT,
    ),
    "Creatable": {
        # Closed, so that nothing is this and something else.
        **_object(
            "A dry run: the order could be created, or prepared. Nothing of it exists, so it has no number.",
            ["status"],
            status=_OK,
            ignored=_IGNORED,
            sent=_SENT,
        ),
        "additionalProperties": False,
    },
    "Shipped": _object(
        "It has shipped, as a shipment of this number.",
        ["status", "shipment"],
        status=_OK,
        shipment={**_NUMBER, "description": "The shipment's number."},
        ignored=_IGNORED,
        sent=_SENT,
    ),
    "Rejected": _object(
        "Nothing of the order exists and no stock has moved.",
        ["status", "code", "msg", "retryable", "errors"],
        status=_NO,
        code=_CODE,
        msg=_MSG,
        retryable={
            "type": "boolean",
            "description": "Whether the same order, unchanged, could succeed later.",
        },
        orders={
            "type": "array",
            "items": _NUMBER,
            "minItems": 1,
            "maxItems": MOST_KEY_NUMBERS,
            "description": "With `uniqueKeys`, where the key has made an order before (`key_exists`): the "
            "numbers that it has.",
        },
        errors={**_ERRORS, "maxItems": MOST_ERRORS},
        ignored=_IGNORED,
        sent=_SENT,
    ),
    "Outcome": {
        "description": "What became of one order.",
        "oneOf": [_ref("Created"), _ref("Prepared"), _ref("Creatable"), _ref("Shipped"), _ref("Rejected")],
    },
    "Outcomes": {
        "type": "object",
        "description": "The outcome of each order under its key, in the order of the request.",
        "additionalProperties": _ref("Outcome"),
    },
    "Refusal": _object(
        "The whole request is refused: nothing was accepted, nothing stored.",
        ["status", "code", "msg"],
        status=_NO,
        code={"const": int(Code.GENERAL)},
        msg=_MSG,
        errors=_ERRORS,
    ),
}
