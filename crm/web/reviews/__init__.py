"""The noun 区县初审 on the web: the queue of a window with its panel, what decides, the documents that come of it."""

from flask import Blueprint

blueprint = Blueprint("reviews", __name__)

# Who opens the queue: whoever reads what was handed in; only the bureau decides.
ROLES = ("case_manager", "bureau", "leader", "admin")
