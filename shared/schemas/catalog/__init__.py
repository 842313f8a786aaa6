"""The catalog file (CONTRACT 7): read with every fault told, and written in an order that never varies."""

from shared.schemas.catalog.checking import read_catalog

__all__ = ["read_catalog"]
