"""The table of kinds: what a batch may be made of, and the forms in which it is asked for (contract §5).

Every kind goes one way: accepted, cut into slices, settled, told, retried, cancelled. What differs stands in
a row for each: here its names, in ``api/orders/kinds.py`` its paths, in ``worker/settle/kinds.py`` how it is
read, locked, decided and written.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class JobForm(StrEnum):
    """What was asked for, and so what a job's answer looks like; a kind has two of them."""

    BATCH = "batch"
    """Keyed orders; answered with keyed outcomes."""

    ORDER = "order"
    """One order; answered with its bare outcome."""

    COMPLETIONS = "completions"
    """Keyed completions, each with the number of its order; answered with keyed outcomes."""

    COMPLETION = "completion"
    """The completion of one order, whose number is its key; answered with its bare outcome."""

    SHIPMENTS = "shipments"
    """Keyed shipments, each with the number of its order; answered with keyed outcomes."""

    SHIPMENT = "shipment"
    """A shipment of one order, whose number is its key; answered with its bare outcome."""

    CANCELLATIONS = "cancellations"
    """Keyed cancellations, each with the number of its order; answered with keyed outcomes."""

    CANCELLATION = "cancellation"
    """The cancellation of one order, whose number is its key; answered with its bare outcome."""

    @property
    def kind(self) -> JobKind:
        """What a batch in this form is made of."""
        return _KIND_OF[self]

    @property
    def is_keyed(self) -> bool:
        """Whether it is a batch under a client's own keys, and answered under them."""
        return self is KINDS[self.kind].batch


class JobKind(StrEnum):
    """What a job's batch is made of (contract §5)."""

    ORDERS = "orders"
    COMPLETIONS = "completions"
    SHIPMENTS = "shipments"
    CANCELLATIONS = "cancellations"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A row of the table: in which forms a kind may be asked for, as a keyed batch and as one element."""

    batch: JobForm
    one: JobForm

    @property
    def forms(self) -> tuple[JobForm, JobForm]:
        """Both."""
        return (self.batch, self.one)


KINDS: Final = {
    JobKind.ORDERS: Kind(batch=JobForm.BATCH, one=JobForm.ORDER),
    JobKind.COMPLETIONS: Kind(batch=JobForm.COMPLETIONS, one=JobForm.COMPLETION),
    JobKind.SHIPMENTS: Kind(batch=JobForm.SHIPMENTS, one=JobForm.SHIPMENT),
    JobKind.CANCELLATIONS: Kind(batch=JobForm.CANCELLATIONS, one=JobForm.CANCELLATION),
}

_KIND_OF: Final = {form: kind for kind, row in KINDS.items() for form in row.forms}
