"""The noun 导入 on the web: choose a file, see what each row would do, decide, confirm, take back."""

from flask import Blueprint

blueprint = Blueprint("imports", __name__)

ROLES = ("case_manager", "bureau", "unit", "admin")
