"""Everything under /reviews."""

from crm.web.reviews import blueprint, deciding, listing, on_desk, papers

__all__ = ["blueprint", "deciding", "listing", "on_desk", "papers"]
