"""Everything under /reviews."""

from crm.web.reviews import blueprint, deciding, listing, papers

__all__ = ["blueprint", "deciding", "listing", "papers"]
