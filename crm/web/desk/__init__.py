"""工作台: what to do today, the own enterprises, what changed, and what the week's mail says."""

from flask import Blueprint

blueprint = Blueprint("desk", __name__)
