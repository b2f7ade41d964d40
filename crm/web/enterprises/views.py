"""Everything under /enterprises."""

from crm.web.enterprises import blueprint, edit, listing, new, show

__all__ = ["blueprint", "edit", "listing", "new", "show"]
