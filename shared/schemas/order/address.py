"""The parameters of an address (contract §6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.order import STATES_NEEDED
from shared.domain.reasons import FIELD_MISSING
from shared.schemas.fields import Country, Email, Told
from shared.schemas.order.parameters import described, is_blank, short_text
from shared.schemas.order.sent import Sent, WrongTogether


class AddressSchema(Sent):
    """An address; ``email`` counts on the invoice (or only) one."""

    email = Email(
        allow_none=True,
        as_sent=True,
        metadata=described(
            "Required on the invoice (or only) address; on a delivery address beside it any text."
        ),
    )
    country = Country(required=True, metadata=described("ISO 3166 alpha-2 code, in capitals."))
    state = short_text("Required in US, CA and AU.")
    firstName = short_text("First name.")
    lastName = short_text("Last name.")
    tele = short_text("Telephone number.")
    cell = short_text("Mobile telephone number.")
    attn = short_text("For the attention of.")
    address = short_text("Street and number.")
    coaddress = short_text("Care of; the second line.")
    city = short_text("City.")
    zipcode = short_text("Postal code.")

    def is_absent(self, name: str, value: Any) -> bool:
        """A blank e-mail is none; whether one is needed depends on the address's part."""
        return super().is_absent(name, value) or (name == "email" and is_blank(value))

    def lacks(self, values: Mapping[str, Any]) -> bool:
        """Whether a state is missing."""
        return values["country"] in STATES_NEEDED and is_blank(values.get("state"))

    def wrong_together(self, values: Mapping[str, Any], sent: Any) -> Iterator[WrongTogether]:
        """Some countries' addresses need a state."""
        if values.get("country") in STATES_NEEDED and is_blank(sent.get("state")):
            yield ("state",), Told(FIELD_MISSING, f"is required for country {values['country']!r}")
