"""The noun 诉求 on the web: the list, one request, its steps, the export."""

from flask import Blueprint

blueprint = Blueprint("requests", __name__)
