"""How many random histories a model and the code that it checks are driven through."""

from __future__ import annotations

import os
from typing import Final

HISTORIES: Final = int(os.environ.get("ORDERMILL_HISTORIES", "2000"))
"""Enough for every run to find what is plainly wrong; the long run has 20,000."""
