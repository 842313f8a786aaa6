"""The catalog file (contract §7): read with every fault told, and written in an order that never varies."""

from shared.schemas.catalog.checking import read_catalog
from shared.schemas.catalog.writing import catalog_text

__all__ = ["catalog_text", "read_catalog"]
