from flask import Blueprint

blueprint = Blueprint("changes", __name__)
