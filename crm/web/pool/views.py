from flask import Blueprint

blueprint = Blueprint("pool", __name__)
