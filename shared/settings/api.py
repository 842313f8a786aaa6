"""Settings of the API: limits of requests, and what a process holds."""

from __future__ import annotations

from dataclasses import dataclass

from shared.settings.setting import MIB, setting


@dataclass(frozen=True, kw_only=True)
class ApiSettings:
    """Settings of the API: limits of requests, and what a process holds."""

    max_body_bytes: int = setting(128 * MIB, "request body, after inflating", minimum=1024)
    max_orders: int = setting(100_000, "orders in one batch", minimum=1)
    atomic_max_orders: int = setting(
        1_000, "orders in an atomic batch, which is settled in one transaction", minimum=1
    )
    atomic_max_bytes: int = setting(8 * MIB, "its orders, as sent", minimum=1024)
    max_order_bytes: int = setting(4 * MIB, "one order, so that no worker has to hold more", minimum=1024)
    max_key_chars: int = setting(1_024, "characters in a batch key", minimum=1)
    max_nesting: int = setting(32, "levels of arrays and objects inside an order", minimum=8)
    sync_max_orders: int = setting(1_000, "orders up to which a batch without a preference waits", minimum=0)
    sync_wait_seconds: float = setting(25.0, "how long such a batch waits", minimum=0)
    max_wait_seconds: float = setting(60.0, "the most that Prefer: wait=N may ask for", minimum=0)
    orders_page_max: int = setting(1_000, "orders in one page of GET /v1/orders", minimum=1)
    orders_offset_max: int = setting(100_000, "orders that such a page may skip", minimum=0)
    orders_page_max_lines: int = setting(50_000, "lines in such a page of several orders", minimum=1)
    orders_page_max_bytes: int = setting(32 * MIB, "about its JSON, of several orders", minimum=1024)
    stock_page_max: int = setting(1_000, "items in one page of GET /v1/stock", minimum=1)
    stock_max_rows: int = setting(10_000, "products in one POST /v1/stock", minimum=1)
    stock_max_body_bytes: int = setting(8 * MIB, "its body, after inflating", minimum=1024)
    stock_tries_max: int = setting(5, "tries of it while faults are transient", minimum=1)
    rate_limit_per_minute: int = setting(
        6_000, "requests that one client may make in a minute; 0: any number", minimum=0
    )
    undecided_max_bytes: int = setting(
        1024 * MIB, "orders of one client that wait for their outcomes; 0: any number", minimum=0
    )
    lane_share_orders: int = setting(
        2_500,
        "undecided orders of one client, or KiB where those are more, that take turns with those of others; "
        "what is beyond goes after; 0: any number",
        minimum=0,
    )
    memory_budget_bytes: int = setting(
        512 * MIB, "bodies and answers that one API process holds at once; beyond it, 503", minimum=1024
    )
    body_seconds_max: float = setting(
        120.0, "how long a client may take to send a body, or to take an answer", minimum=1
    )
    api_processes: int = setting(1, "gunicorn worker processes", minimum=1)
    api_threads: int = setting(256, "threads in each; a waiting request holds one", minimum=2)
    waiters_max: int = setting(
        160, "requests that wait for outcomes in one API process, a third of its threads left", minimum=1
    )
    waiters_max_per_key: int = setting(128, "of those, requests of one client", minimum=1)
    followers_max: int = setting(80, "of them, requests that follow a job; half at most", minimum=1)
    followers_max_per_key: int = setting(64, "of those, requests of one client", minimum=1)
    follow_seconds_max: float = setting(
        600.0, "how long a job's event stream lasts before its client has to come again", minimum=1
    )
    requests_max_per_key: int = setting(
        40, "requests of one client that one API process answers at once; those that wait apart", minimum=1
    )
    api_grace_seconds: int = setting(30, "how long a stopping API lets requests finish", minimum=1)
