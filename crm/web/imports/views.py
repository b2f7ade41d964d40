"""Everything under /imports."""

from crm.web.imports import batches, blueprint, deciding, once, pasting, returning, show, undoing

__all__ = ["batches", "blueprint", "deciding", "once", "pasting", "returning", "show", "undoing"]
