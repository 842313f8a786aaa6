"""Errors as a table for people: CSV that no spreadsheet runs anything of (contract §5)."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Final

import msgspec

from api.web.media_type import CSV
from shared.domain.outcome import field_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from api.jobs.chosen_outcomes import ChosenOutcome

_COLUMNS: Final = ("key", "code", "reason", "field", "message", "name", "e-mail", "country", "SKU")
_BYTE_ORDER_MARK: Final = "\ufeff"
# Of a value that is shown beside an error; whoever looks for the order has its key.
_MOST_CHARS: Final = 255
# A cell that begins so is run as a formula, by some behind blanks; and behind whatever separates cells where
# the reader is: many countries' spreadsheets do so at a semicolon.
_RUN: Final = re.compile(r"(^|[;,\t\r\n\"'|])(\s*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LINE: Final = re.compile(r"/products/([^/]+)")


class _Error(msgspec.Struct):
    reason: str = ""
    pointer: str = ""
    msg: str = ""


class _Decision(msgspec.Struct):
    status: str
    code: int | None = None
    msg: str = ""
    errors: list[_Error] = []


class _Sent(msgspec.Struct):
    """What of an order is looked at: whatever stands there, for it is the client's."""

    invoice_address: msgspec.Raw = msgspec.field(default=msgspec.Raw(b""), name="invoiceAddress")
    address: msgspec.Raw = msgspec.Raw(b"")
    delivery_address: msgspec.Raw = msgspec.field(default=msgspec.Raw(b""), name="deliveryAddress")
    products: msgspec.Raw = msgspec.Raw(b"")


_DECISION = msgspec.json.Decoder(_Decision)
_SENT = msgspec.json.Decoder(_Sent)
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_TEXT = msgspec.json.Decoder(str)


class CsvTable:
    """One row for each error of a rejected order, and whose order it is as far as what was sent is there."""

    media_type = CSV
    begin = (_BYTE_ORDER_MARK + ",".join(_COLUMNS) + "\r\n").encode()
    end = b""

    def write(self, run: Sequence[ChosenOutcome]) -> bytes:
        """The rows of a run."""
        text = io.StringIO(newline="")
        table = csv.writer(text)
        for one in run:
            for row in _rows(one):
                table.writerow([cell if isinstance(cell, int) else harmless(cell) for cell in row])
        return text.getvalue().encode(errors="replace")


def harmless(text: str) -> str:
    """A text that a spreadsheet takes for text, wherever it thinks that a cell begins."""
    return _RUN.sub(r"\1\2'", _CONTROL.sub("\ufffd", text))


def _rows(one: ChosenOutcome) -> Iterator[list[str | int]]:
    read = _DECISION.decode(one.outcome)
    if read.status == "ok":
        return
    sent = _read_sent(one.sent)
    customer = _customer(sent)
    lines = _members(sent.products)
    for error in read.errors or [_Error(msg=read.msg)]:
        found = _LINE.match(error.pointer)
        sku = _sku(_members(lines.get(found[1]))) if found else ""
        field = field_name(error.pointer, first=1)
        yield [one.key, read.code or "", error.reason, field, error.msg, *customer, sku]


def _read_sent(sent: msgspec.Raw | None) -> _Sent:
    try:
        return _Sent() if sent is None else _SENT.decode(sent)
    except msgspec.MsgspecError:
        # It is no object, which is what its error says.
        return _Sent()


def _customer(sent: _Sent) -> list[str]:
    """Name, e-mail and country: each of the first address that has it."""
    addresses = [_members(raw) for raw in (sent.invoice_address, sent.address, sent.delivery_address)]
    names = [f"{_text(one.get('firstName'))} {_text(one.get('lastName'))}".strip() for one in addresses]
    emails, countries = ([_text(one.get(name)) for one in addresses] for name in ("email", "country"))
    return [next(filter(None, values), "") for values in (names, emails, countries)]


def _sku(line: dict[str, msgspec.Raw]) -> str:
    return next(filter(None, (_text(line.get(name)) for name in ("sku", "ean", "upc", "id"))), "")


def _members(raw: msgspec.Raw | None) -> dict[str, msgspec.Raw]:
    """The members of an object, or the elements of an array under their places; none of anything else."""
    first = b"" if raw is None else bytes(memoryview(raw)[:1])
    if raw is None or first not in {b"{", b"["}:
        return {}
    try:
        if first == b"{":
            return _OBJECT.decode(raw)
        return {str(place): element for place, element in enumerate(_LIST.decode(raw))}
    except msgspec.MsgspecError:
        return {}


def _text(raw: msgspec.Raw | None) -> str:
    """A string, or a number as it is written; nothing for anything else."""
    written = b"" if raw is None else bytes(raw)
    if written[:1] != b'"':
        return written.decode()[:_MOST_CHARS] if written[:1] in b"-0123456789" else ""
    try:
        return _TEXT.decode(written)[:_MOST_CHARS]
    except msgspec.MsgspecError:
        return ""
