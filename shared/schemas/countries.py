"""The codes of countries and currencies, and the country that is meant by what is none of its codes."""

from __future__ import annotations

from functools import cache

import pycountry

COUNTRIES = frozenset({country.alpha_2 for country in pycountry.countries} | {"XK"})
"""ISO 3166-1 alpha-2, and the code that everybody uses for Kosovo, which has none there."""

CURRENCIES = frozenset(currency.alpha_3 for currency in pycountry.currencies)
"""ISO 4217."""

_OTHER_NAMES = {
    "UK": "GB",
    "GREAT BRITAIN": "GB",
    "ENGLAND": "GB",
    "SCOTLAND": "GB",
    "EL": "GR",
    "KOSOVO": "XK",
    "RUSSIA": "RU",
    "SWITZERLAND": "CH",
    "TURKEY": "TR",
    "USA": "US",
    "HOLLAND": "NL",
}
_MOST_CHARS = 100


def country_meant(text: str) -> str | None:
    """The code of the country that a text is likely to mean, by its name or in another spelling."""
    name = text.strip().upper()
    if name in COUNTRIES:
        return name
    return _names().get(name) if len(name) <= _MOST_CHARS else None


@cache
def _names() -> dict[str, str]:
    found = dict(_OTHER_NAMES)
    for country in pycountry.countries:
        for kind in ("alpha_3", "name", "official_name", "common_name"):
            if name := getattr(country, kind, None):
                found.setdefault(name.upper(), country.alpha_2)
    return found
