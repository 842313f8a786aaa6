"""The platform's habits of writing values (contract §6), as marshmallow fields.

JSON must have been read by ``read_exactly``. Every message names the value at fault.
"""

from __future__ import annotations

from shared.schemas.fields.base import Told, ValueField, missing, told_by, wrong
from shared.schemas.fields.container import Elements, Members
from shared.schemas.fields.labels import Labels, Line
from shared.schemas.fields.moment import Moment
from shared.schemas.fields.number import Amount, Flag, Whole
from shared.schemas.fields.text import Choice, Country, Currency, Email, Text, Words

__all__ = [
    "Amount",
    "Choice",
    "Country",
    "Currency",
    "Elements",
    "Email",
    "Flag",
    "Labels",
    "Line",
    "Members",
    "Moment",
    "Text",
    "Told",
    "ValueField",
    "Whole",
    "Words",
    "missing",
    "told_by",
    "wrong",
]
