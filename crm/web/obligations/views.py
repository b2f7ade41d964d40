"""Everything under /due."""

from crm.web.obligations import blueprint, bulk, cells, listing, selection, settling

__all__ = ["blueprint", "bulk", "cells", "listing", "selection", "settling"]
