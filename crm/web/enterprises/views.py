"""Everything under /enterprises."""

from crm.web.enterprises import blueprint, edit, listing, neighbours, new, show

__all__ = ["blueprint", "edit", "listing", "neighbours", "new", "show"]
