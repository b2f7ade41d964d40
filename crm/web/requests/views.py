"""Everything under /requests."""

from crm.web.requests import blueprint, listing, one, raising, steps

__all__ = ["blueprint", "listing", "one", "raising", "steps"]
