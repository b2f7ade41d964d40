"""Everything under /collections."""

from crm.web.collections import blueprint, listing, opening, sending, sheets

__all__ = ["blueprint", "listing", "opening", "sending", "sheets"]
