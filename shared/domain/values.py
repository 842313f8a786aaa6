"""``value``: the dataclasses of which an order makes dozens, and which nobody changes once they are made.

mypy keeps them frozen. At run time they are not: each field would be set through ``object.__setattr__``, and
making them would cost a worker twice as much, some 10 µs of an order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass as value
else:
    from dataclasses import dataclass

    def value(*, frozen, slots):  # noqa: ANN001, ANN201 - mypy sees the one above
        """As ``dataclass``: compared by what it holds, and hashable where it is ``frozen``."""
        return dataclass(slots=slots, unsafe_hash=frozen)


__all__ = ["value"]
