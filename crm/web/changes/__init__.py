"""What was done: the list of it, the history of one record, and the way back."""

from flask import Blueprint

blueprint = Blueprint("changes", __name__)
