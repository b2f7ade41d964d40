"""Everything under /due."""

from crm.web.obligations import blueprint, listing, settling

__all__ = ["blueprint", "listing", "settling"]
