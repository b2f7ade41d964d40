"""The noun 报送 on the web: what went up, as it went, and what the city answered."""

from flask import Blueprint

blueprint = Blueprint("submissions", __name__)

ROLES = ("case_manager", "bureau", "leader", "admin")
