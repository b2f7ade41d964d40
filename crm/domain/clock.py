"""The clock of the county: one zone, and what the end of a day means."""

from datetime import date, datetime, timedelta, timezone

# China has had one time without summer time since 1991, so a fixed offset is exact and needs no zone data installed.
SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")


def end_of_day(on: date) -> datetime:
    """The last second of a day in Shanghai: what 24:00 of that day means as a deadline."""
    return datetime(on.year, on.month, on.day, 23, 59, 59, tzinfo=SHANGHAI)
