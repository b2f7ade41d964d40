"""The noun 企业 on the web: the list, the file of one enterprise, its forms."""

from flask import Blueprint

blueprint = Blueprint("enterprises", __name__)
