"""The noun 培育库 on the web: memberships one by one, yearly selections, what became of those selected."""

from flask import Blueprint

blueprint = Blueprint("pool", __name__)

# Who proposes firms; who reads lists and conversion; who puts lists together and records what a meeting decided.
PROPOSERS = ("case_manager", "bureau", "admin")
READERS = ("case_manager", "bureau", "leader", "admin")
DECIDERS = ("bureau", "admin")
