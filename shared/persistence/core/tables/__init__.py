"""The tables by concern, with every "must never happen" as a named constraint.

A table's rows are written in bulk and read in bulk, so there are no mapped classes. Text that a client chose
freely and that may hold U+0000 (a batch's key) is kept as JSON text, where it is escaped.
"""

from __future__ import annotations

from shared.persistence.core.tables.access import api_keys, clients
from shared.persistence.core.tables.base import metadata
from shared.persistence.core.tables.catalog import (
    accounts,
    allocation_rules,
    buyers,
    campaigns,
    catalog_state,
    delivery_windows,
    item_versions,
    items,
    markets,
    pricelists,
    prices,
    shipping_options,
    stock,
    vouchers,
    warehouses,
)
from shared.persistence.core.tables.dry_run import (
    dry_run_number_sequence,
    dry_run_numbers,
    dry_run_stock,
    dry_run_vouchers,
)
from shared.persistence.core.tables.job import job_progress, jobs, requested_numbers, retried_keys, slices
from shared.persistence.core.tables.mail import confirmations
from shared.persistence.core.tables.order import (
    allocations,
    change_feed,
    customers,
    order_changes,
    order_lines,
    order_number_sequence,
    orders,
    payments,
    unique_keys,
)
from shared.persistence.core.tables.shipment import shipment_lines, shipment_number_sequence, shipments

__all__ = [
    "accounts",
    "allocation_rules",
    "allocations",
    "api_keys",
    "buyers",
    "campaigns",
    "catalog_state",
    "change_feed",
    "clients",
    "confirmations",
    "customers",
    "delivery_windows",
    "dry_run_number_sequence",
    "dry_run_numbers",
    "dry_run_stock",
    "dry_run_vouchers",
    "item_versions",
    "items",
    "job_progress",
    "jobs",
    "markets",
    "metadata",
    "order_changes",
    "order_lines",
    "order_number_sequence",
    "orders",
    "payments",
    "pricelists",
    "prices",
    "requested_numbers",
    "retried_keys",
    "shipment_lines",
    "shipment_number_sequence",
    "shipments",
    "shipping_options",
    "slices",
    "stock",
    "unique_keys",
    "vouchers",
    "warehouses",
]
