"""The noun 采集 on the web: open a collection, send its sheets, type or bring in what comes back."""

from flask import Blueprint

blueprint = Blueprint("collections", __name__)

# Who asks enterprises for figures, who may type in an answer, and who looks on.
MAKERS = ("case_manager", "bureau", "admin")
READERS = (*MAKERS, "township", "park", "leader")
WRITERS = (*MAKERS, "township", "park")
