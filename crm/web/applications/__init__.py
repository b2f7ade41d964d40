"""Applications: the board by stage, the list, one application with its steps, materials and objections."""

from flask import Blueprint

blueprint = Blueprint("applications", __name__)
