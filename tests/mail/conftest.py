"""A real SMTP server on the loopback, and the tests' Monday."""

import pytest
import time_machine

from tests.builders import NOW
from tests.mail.server import Server


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=True) as traveller:
        yield traveller


@pytest.fixture
def smtp():
    with Server() as server:
        yield server
