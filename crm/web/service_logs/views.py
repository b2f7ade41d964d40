from flask import Blueprint

blueprint = Blueprint("service_logs", __name__)
