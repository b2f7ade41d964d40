"""The yearly figures on the web: the grid with its cells, a pasted block, what the firm confirmed, one year's form."""

from flask import Blueprint

blueprint = Blueprint("figures", __name__)
