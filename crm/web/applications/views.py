"""The doors of applications, one module per subject."""

from crm.web.applications import blueprint, entry, listing, materials, objections, steps

__all__ = ["blueprint", "entry", "listing", "materials", "objections", "steps"]
