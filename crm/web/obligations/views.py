from flask import Blueprint

blueprint = Blueprint("obligations", __name__)
