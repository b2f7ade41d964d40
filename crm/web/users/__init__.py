"""The noun 用户 on the web: accounts and grants for the administrator, and everybody's own account."""

from flask import Blueprint

blueprint = Blueprint("users", __name__)
