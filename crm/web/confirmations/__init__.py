"""The noun 月度确认 on the web: the township's one page a month, and what the office learns from it."""

from flask import Blueprint

blueprint = Blueprint("confirmations", __name__)
