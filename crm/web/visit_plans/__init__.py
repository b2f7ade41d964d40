"""The noun 走访计划 on the web: a quarter's plan, how far it has come, and sheets to take along."""

from flask import Blueprint

blueprint = Blueprint("visit_plans", __name__)

READERS = ("case_manager", "bureau", "leader", "admin")
WRITERS = ("case_manager", "bureau", "admin")
