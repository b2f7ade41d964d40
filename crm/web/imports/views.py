"""Everything under /imports."""

from crm.web.imports import batches, blueprint, deciding, once, pasting, show, undoing

__all__ = ["batches", "blueprint", "deciding", "once", "pasting", "show", "undoing"]
