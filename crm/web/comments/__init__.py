"""The noun 批注 on the web: what people say to each other about a record."""

from flask import Blueprint

blueprint = Blueprint("comments", __name__)
