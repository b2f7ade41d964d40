"""Saved views of the lists: their tabs with counts, and the page where they are renamed, shared and put in order."""

from flask import Blueprint

blueprint = Blueprint("saved_views", __name__)
