"""What reading an order costs, by shape and by lines: ``python -m bench.reading``."""

from __future__ import annotations

import time
from zoneinfo import ZoneInfo

from bench.shapes import SHAPES, make
from shared.schemas.order.reading import OrderReader

_ORDERS = 300
_TRIES = 15


def main() -> None:
    """Print the microseconds of CPU that one order takes: all shapes in turn, the best of several."""
    reader = OrderReader(zone=ZoneInfo("UTC"), max_lines=5_000, strict=False)
    texts = {shape: list(make(shape, _ORDERS).values()) for shape in SHAPES}
    texts |= {f"{n} lines": list(make(SHAPES[0], max(3, 600 // n), lines=n).values()) for n in (1, 21, 1_000)}
    best = dict.fromkeys(texts, float("inf"))
    for _ in range(_TRIES):
        for name, orders in texts.items():
            began = time.process_time()
            for order in orders:
                reader.read(order)
            best[name] = min(best[name], (time.process_time() - began) / len(orders))
    for name, seconds in best.items():
        size = sum(map(len, texts[name])) // len(texts[name])
        print(f"{name:36} {seconds * 1e6:9.1f} us {seconds / best[SHAPES[0]]:6.2f} × {size:7} bytes")  # noqa: T201 - a program's output


if __name__ == "__main__":
    main()
