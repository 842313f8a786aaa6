"""Limits, health and the description itself, described."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from api.docs.page import ASSETS
from api.openapi.operation import Operation, ResponseDoc
from api.service.limits import limits_of
from shared.settings import setting_names

if TYPE_CHECKING:
    from shared.settings import Settings

_SAME: Final = ResponseDoc(says="What you have is still the same.", schema=None, headers=("ETag",))


def _served(path: str, what: str, media_type: str) -> Operation:
    return Operation(
        id="show" + "".join(word.capitalize() for word in path.replace(".", "/").split("/")),
        tag="Service",
        summary=f"Give {what}",
        description="For reading.",
        parameters=("IfNoneMatch",),
        responses={
            200: ResponseDoc(
                says="Here.",
                schema={"type": "string"},
                media_type=media_type.partition(";")[0],
                headers=("ETag",),
            ),
            304: _SAME,
        },
    )


SERVICE: Final = {
    "GET /v1/limits": Operation(
        id="showLimits",
        tag="Service",
        summary="Tell the limits",
        description="What is taken, and how long is waited. Messages call the limits by these names.",
        responses={200: ResponseDoc(says="The limits.", schema="Limits")},
    ),
    "GET /healthz": Operation(
        id="showHealth",
        tag="Service",
        summary="Tell whether this process lives",
        description="It asks nobody else.",
        responses={200: ResponseDoc(says="It does.", schema="Health")},
    ),
    "GET /readyz": Operation(
        id="showReadiness",
        tag="Service",
        summary="Tell whether all parts answer",
        description="Asks the database, the broker and the workers, all at once and in bounded time.",
        responses={
            200: ResponseDoc(says="All of them do.", schema="Readiness"),
            503: ResponseDoc(says="One or another does not.", schema="Unreadiness", headers=("RetryAfter",)),
        },
    ),
    "GET /openapi.json": Operation(
        id="showOpenApi",
        tag="Service",
        summary="Give this description",
        description="OpenAPI 3.1.",
        parameters=("IfNoneMatch",),
        responses={
            200: ResponseDoc(says="The description.", schema={"type": "object"}, headers=("ETag",)),
            304: _SAME,
        },
    ),
    "GET /docs": _served("/docs", "this description as a page", "text/html"),
    **{
        f"GET /docs/{name}": _served(f"/docs/{name}", f"the page's {name}", kind)
        for name, kind in ASSETS.items()
    },
}

_FINDING: Final = {
    "type": "object",
    "required": ["ok"],
    "properties": {
        "ok": {"type": "boolean", "description": "Whether it answers."},
        "why": {"type": "string", "description": "What is wrong."},
        "count": {"type": "integer", "description": "How many workers there are."},
    },
}
_FINDINGS: Final = {
    name: {"$ref": "#/components/schemas/Finding"} for name in ("database", "broker", "workers")
}


def service_schemas(settings: Settings) -> dict[str, dict[str, Any]]:
    """Give the schemas that these answers refer to."""
    meaning = setting_names()
    limits = {
        name: {"type": "number", "description": meaning[_setting(name)], "examples": [value]}
        for name, value in limits_of(settings).items()
    }
    return {
        "Limits": {
            "type": "object",
            "description": "What is taken, and how long is waited.",
            "required": list(limits),
            "properties": limits,
        },
        "Health": {
            "type": "object",
            "description": "A sign of life.",
            "required": ["status"],
            "properties": {"status": {"const": "ok"}},
        },
        "Finding": {"description": "How one part is.", **_FINDING},
        "Readiness": {
            "type": "object",
            "description": "How each part is.",
            "required": ["status", *_FINDINGS],
            "properties": {"status": {"const": "ok"}, **_FINDINGS},
        },
        "Unreadiness": {
            "description": "A refusal, with how each part is.",
            "allOf": [
                {"$ref": "#/components/schemas/Refusal"},
                {"type": "object", "required": list(_FINDINGS), "properties": _FINDINGS},
            ],
        },
    }


def _setting(limit: str) -> str:
    """The setting behind a limit: maxBodyBytes is MAX_BODY_BYTES."""
    return re.sub(r"[A-Z]", lambda found: f"_{found[0]}", limit).upper()
