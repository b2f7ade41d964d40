"""The noun 服务记录 on the web: log a visit, and the own recent records."""

from flask import Blueprint

blueprint = Blueprint("service_logs", __name__)
