"""Signing in and out, the second step, proving it again, and a new password by mail."""

from flask import Blueprint

blueprint = Blueprint("sign_in", __name__)
