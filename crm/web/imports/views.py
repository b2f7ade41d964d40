"""Everything under /imports."""

from crm.web.imports import batches, blueprint, deciding, missing, once, pasting, returning, show, undoing

__all__ = ["batches", "blueprint", "deciding", "missing", "once", "pasting", "returning", "show", "undoing"]
