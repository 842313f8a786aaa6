"""The body of a retry as JSON Schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shared.domain.outcome import Code
from shared.domain.reasons import REASONS

if TYPE_CHECKING:
    from shared.schemas.openapi.fields import JsonSchema

RETRY: Final[JsonSchema] = {
    "type": "object",
    "description": "Which rejected orders are tried again: one of its members, or none for those that are "
    "retryable.",
    "maxProperties": 1,
    "properties": {
        "codes": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "integer", "enum": sorted((int(code) for code in Code), reverse=True)},
            "description": "Those of these codes.",
        },
        "reasons": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "string", "enum": sorted(reason.name for reason in REASONS)},
            "description": "Those that have one of these reasons among their errors.",
        },
        "keys": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "string"},
            "description": "Those under these keys.",
        },
        "all": {"type": "boolean", "description": "All that were rejected; nothing but `true`."},
        "orders": {
            "$ref": "#/components/schemas/Batch",
            "description": "Corrected orders, under keys of which the orders were rejected.",
        },
    },
}
