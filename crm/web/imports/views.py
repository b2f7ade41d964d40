"""Everything under /imports."""

from crm.web.imports import batches, blueprint, correcting, deciding, missing, once, pasting, returning, show, undoing

__all__ = [
    "batches",
    "blueprint",
    "correcting",
    "deciding",
    "missing",
    "once",
    "pasting",
    "returning",
    "show",
    "undoing",
]
