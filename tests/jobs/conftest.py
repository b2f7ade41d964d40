"""Jobs live on the tests' Monday, ten in the morning, with a clock that ticks."""

import pytest
import time_machine

from crm.extensions import carrier
from tests.builders import NOW


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=True) as traveller:
        yield traveller


@pytest.fixture
def kinds():
    """Kinds of work made for one test, gone afterwards."""
    before = dict(carrier.registry)
    yield carrier.registry
    carrier.registry.clear()
    carrier.registry.update(before)
