from flask import Blueprint

blueprint = Blueprint("qualifications", __name__)
