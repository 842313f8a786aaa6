"""Settling one slice, as the tests do it: what keeps it undecided is raised."""

from __future__ import annotations

from worker.settle.settle import settle_slice

__all__ = ["settle_slice"]
