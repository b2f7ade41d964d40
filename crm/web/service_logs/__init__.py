"""The noun 服务记录 on the web: log a visit, and the own recent records."""

from flask import Blueprint

blueprint = Blueprint("service_logs", __name__)

WRITERS = ("case_manager", "township", "park", "bureau", "admin")
# One event of more firms than these is a training, which is logged by its own list or chosen in the form.
MOST_AT_ONCE = 20
