"""The noun 消息 on the web: what a person is to know of."""

from flask import Blueprint

blueprint = Blueprint("notices", __name__)
