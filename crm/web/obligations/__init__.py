"""The noun 到期事项 on the web: the due list with its panel, and the verbs that settle one."""

from flask import Blueprint

blueprint = Blueprint("obligations", __name__)
