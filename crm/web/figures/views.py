"""Every address of the yearly figures."""

from crm.web.figures import blueprint, confirming, edit, grid, paste

__all__ = ["blueprint", "confirming", "edit", "grid", "paste"]
