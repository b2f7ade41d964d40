"""Everything under /enterprises."""

from crm.web.enterprises import blueprint, listing

__all__ = ["blueprint", "listing"]
