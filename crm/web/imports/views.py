"""Everything under /imports."""

from crm.web.imports import batches, blueprint, deciding, show, undoing

__all__ = ["batches", "blueprint", "deciding", "show", "undoing"]
