from flask import Blueprint

blueprint = Blueprint("dictionaries", __name__)
