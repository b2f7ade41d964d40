"""Read by every Python that starts with this folder on its path: the clock goes CRM_TEST_DAYS days ahead (or back)."""

import os
from datetime import UTC, datetime, timedelta

import time_machine

if os.environ.get("CRM_TEST_DAYS"):
    # Never stopped: it holds as long as the process lives, and a test that travels itself travels from here.
    time_machine.travel(datetime.now(UTC) + timedelta(days=float(os.environ["CRM_TEST_DAYS"])), tick=True).start()
