"""Titles and pool memberships of one invented enterprise: each method shows one state on the world's day.

The terms behind them are those of crm/rules/ladder.toml; a test judges every world by them.
"""

import random
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from crm.cli import demo_words as w
from crm.domain.codes import INVENTED_DIVISION

Fields = dict[str, Any]

# What each recipe does: methods of Titles with their arguments, joined by +.
STEPS: dict[str, str] = {
    "plain": "",
    "cq": "cq_lasting",
    "cq_and_sme": "cq_lasting + sme_lasting",
    "cq_lapsed": "cq_chain_ended",
    "cq_revoked": "cq_ended withdrawn",
    "cq_relocated": "cq_ended relocated",
    "cq_expiring": "cq_expiring",
    "cq_awaiting": "cq_awaiting",
    "sme_valid": "sme_valid",
    "sme_expiring": "cq_lasting + sme_expiring",
    "sme_awaiting": "sme_awaiting",
    "sme_lapsed": "sme_lapsed",
    "sme_revoked": "sme_ended revoked",
    "sme_relocated": "sme_ended relocated",
    "merged_valid": "cq_lasting + merged",
    "merged_revoked": "cq_lasting + merged_revoked",
    "innovative_valid": "three_years_valid innovative_sme",
    "innovative_lapsed": "three_years_lapsed innovative_sme",
    "innovative_revoked": "three_years_ended innovative_sme cancelled",
    "innovative_relocated": "three_years_ended innovative_sme relocated",
    "innovative_expiring": "cq_lasting + three_years_expiring innovative_sme",
    "hnte_valid": "cq_lasting + sme_lasting + hnte_valid",
    "hnte_expiring": "cq_lasting + hnte_expiring",
    "hnte_renewing": "cq_lasting + hnte_renewing",
    "hnte_renewed": "cq_lasting + sme_lasting + hnte_renewed",
    "hnte_unverified": "cq_lasting + hnte_past",
    "hnte_lapsed": "cq_lasting + sme_lasting + hnte_lapsed",
    "hnte_revoked": "cq_lasting + hnte_ended cancelled",
    "hnte_relocated": "cq_ended relocated + hnte_ended relocated",
    "pool_proposed": "cq_lasting + pool_proposed",
    "pool_decided": "cq_lasting + pool_decided",
    "pool_key": "cq_lasting + sme_lasting + in_pool key",
    "pool_long": "cq_lasting + in_pool long_term",
    "pool_out": "cq_lasting + pool_out",
    "srdi_valid": "cq_lasting + three_years_valid srdi",
    "srdi_expiring": "cq_lasting + sme_lasting + three_years_expiring srdi",
    "srdi_lapsed": "three_years_lapsed srdi",
    "srdi_revoked": "three_years_ended srdi cancelled",
    "srdi_relocated": "three_years_ended srdi relocated",
    "srdi_and_hnte": "cq_lasting + hnte_valid + three_years_valid srdi",
    "giant": "cq_lasting + hnte_renewed + three_years_valid srdi + three_years_valid little_giant",
}


@dataclass(frozen=True)
class DemoTitle:
    """Field codes of ``qualification``; ``recorded_on`` is the day somebody entered it."""

    fields: Fields
    recorded_on: date


def years_after(day: date, years: int) -> date:
    return day.replace(year=day.year + years, day=28 if (day.month, day.day) == (2, 29) else day.day)


def three_years_from(start: date) -> date:
    return years_after(start, 3) - timedelta(days=1)


class Titles:
    """Titles of one enterprise, each method one state on the world's day (the terms are those of ladder.toml)."""

    def __init__(self, rng: random.Random, on: date, serial: int) -> None:
        self.rng, self.on, self.serial = rng, on, serial
        self.made: list[DemoTitle] = []
        self.pool: list[Fields] = []

    def ago(self, least: int, most: int) -> date:
        return self.on - timedelta(days=self.rng.randint(least, most))

    def add(self, kind: str, **fields: Any) -> None:
        known = {"kind": kind, **{code: value for code, value in fields.items() if value is not None}}
        announced = fields.get("announced_on") or fields.get("publicity_on") or fields.get("issued_on")
        recorded = min(self.on, (announced or self.on) + timedelta(days=self.rng.randint(2, 20)))
        self.made.append(DemoTitle(known, recorded))

    # The municipal list: yearly update until 31 May; entries without an end stay until something ends them.

    def cq(self, start: date, **more: Any) -> None:
        n = self.rng.randint(1, 9)
        self.add(
            "cq_tech",
            number=f"CQKX{start.year}99{self.serial:04d}",
            batch=f"{start.year}年第{'一二三四五六七八九'[n - 1]}批",
            announced_on=start,
            valid_from=start,
            cohort_year=start.year,
            **more,
        )

    def cq_open(self) -> None:
        self.cq(self.ago(20, 2400))

    def cq_chain(self, *, ended: bool = False) -> None:
        last = self.on.year - 1 if (self.on.month, self.on.day) <= (5, 31) else self.on.year
        last -= ended
        first = last - self.rng.randint(1, 3)
        start = date(first, self.rng.randint(1, 5), self.rng.randint(1, 28))
        self.cq(start, valid_to=date(first + 1, 5, 31))
        for year in range(first + 1, last + 1):
            announced = date(year, 5, self.rng.randint(8, 31))
            self.add(
                "cq_tech",
                number=self.made[0].fields["number"],
                batch=f"{year}年更新",
                announced_on=announced,
                valid_from=date(year, 6, 1),
                valid_to=date(year + 1, 5, 31),
                cohort_year=year,
            )

    def cq_lasting(self) -> None:
        if self.rng.random() < 0.35:
            self.cq_chain()
        else:
            self.cq_open()

    def cq_expiring(self) -> None:
        self.cq(self.ago(250, 320), valid_to=self.on + timedelta(days=self.rng.randint(8, 45)))

    def cq_awaiting(self) -> None:
        self.yearly_awaiting("cq_tech", (5, 31))

    def cq_ended(self, reason: str) -> None:
        ended = self.ago(30, 300)
        self.cq(ended - timedelta(days=self.rng.randint(200, 900)), ended_on=ended, end_reason=reason)

    # The national yearly evaluation: until 31 March of the next year, rounds from June to August.

    def sme(self, start: date, **more: Any) -> None:
        number = f"{start.year}{INVENTED_DIVISION}A0{self.serial:06d}"
        self.add(
            "tech_sme",
            number=number,
            batch=f"{start.year}年第{self.rng.choice('一二三')}批",
            announced_on=start,
            publicity_on=start - timedelta(days=self.rng.randint(15, 20)),
            cohort_year=start.year,
            **more,
        )

    def sme_years(self, last: int, most: int = 3) -> None:
        for year in range(last - self.rng.randint(0, most), last + 1):
            opened = date(year, 7, 10)
            days = min(100, (self.on - opened).days - 1)
            if days >= 0:
                self.sme(opened + timedelta(days=self.rng.randint(0, days)))

    def sme_lasting(self) -> None:
        """As it comes: valid after a round, 待更新 between April and the next round."""
        self.sme_years(self.on.year if (self.on.month, self.on.day) > (8, 31) else self.on.year - 1)

    def sme_valid(self) -> None:
        self.sme(self.ago(30, 45), valid_to=self.on + timedelta(days=self.rng.randint(120, 200)))

    def sme_expiring(self) -> None:
        self.sme(self.ago(60, 150), valid_to=self.on + timedelta(days=self.rng.randint(5, 25)))

    def sme_awaiting(self) -> None:
        self.yearly_awaiting("tech_sme", (8, 31))

    def sme_lapsed(self) -> None:
        after_the_round = (self.on.month, self.on.day) > (8, 31)
        self.sme_years(self.on.year - 1 if after_the_round else self.on.year - 2)

    def sme_ended(self, reason: str) -> None:
        start = self.ago(100, 200)
        self.sme(start, ended_on=start + timedelta(days=self.rng.randint(20, 70)), end_reason=reason)

    def yearly_awaiting(self, kind: str, closes: tuple[int, int]) -> None:
        """Its own end has passed and the round of the following year has not closed."""
        before = (self.on.month, self.on.day) <= closes
        cohort = self.on.year - 1 if before else self.on.year
        end = self.on - timedelta(days=self.rng.randint(8, 20))
        start = min(date(cohort, self.rng.randint(1, 4), self.rng.randint(2, 28)), end - timedelta(days=15))
        start = max(start, date(cohort, 1, 2))
        (self.cq if kind == "cq_tech" else self.sme)(start, valid_to=end)

    # Titles of three years.

    def three_years(self, kind: str, start: date, **more: Any) -> None:
        self.add(
            kind,
            batch=f"{start.year}年第{self.rng.choice('一二')}批",
            document=f"虚构公告〔{start.year}〕{self.serial % 90 + 1}号",
            announced_on=start,
            valid_from=start,
            valid_to=three_years_from(start),
            cohort_year=start.year,
            **more,
        )

    def three_years_valid(self, kind: str) -> None:
        self.three_years(kind, self.ago(100, 700))

    def three_years_expiring(self, kind: str) -> None:
        self.three_years(kind, years_after(self.on + timedelta(days=self.rng.randint(20, 150)), -3))

    def three_years_lapsed(self, kind: str) -> None:
        self.three_years(kind, years_after(self.ago(40, 300), -3))

    def three_years_ended(self, kind: str, reason: str) -> None:
        ended = self.ago(30, 300)
        self.three_years(kind, ended - timedelta(days=self.rng.randint(200, 700)), ended_on=ended, end_reason=reason)

    def merged(self, **more: Any) -> None:
        """科技和创新型 exists since 2026-04-01."""
        start = max(self.ago(30, 90), date(2026, 4, 15))
        if start < self.on:
            self.three_years("tech_innovative_sme", start, **more)

    def hnte(self, issued: date, **more: Any) -> None:
        announced = min(issued + timedelta(days=self.rng.randint(5, 30)), self.on)
        self.add(
            "hnte",
            number=f"GR{issued.year}5199{self.serial:04d}",
            batch=f"{issued.year}年第{self.rng.choice('一二')}批",
            document=f"虚构备案公告〔{issued.year}〕{self.serial % 30 + 1}号",
            publicity_on=issued - timedelta(days=3),
            announced_on=announced,
            issued_on=issued,
            valid_from=issued,
            valid_to=three_years_from(issued),
            cohort_year=issued.year,
            **more,
        )

    def hnte_valid(self) -> None:
        """Of the cohorts N−2 to N, those that still have more than the 300 days of 临近到期."""
        cohorts = [date(self.on.year - back, 10, 12) + timedelta(days=self.rng.randint(0, 60)) for back in (0, 1, 2)]
        usable = [day for day in cohorts if day <= self.on and (three_years_from(day) - self.on).days > 305]
        self.hnte(self.rng.choice(usable or [self.ago(100, 300)]))

    def hnte_expiring(self) -> None:
        self.hnte(years_after(self.on + timedelta(days=self.rng.randint(12, 60)), -3))

    def hnte_past(self) -> bool:
        """A certificate that ended this year before today; False in the first days of January, when there is none."""
        end = max(self.on - timedelta(days=self.rng.randint(8, 50)), date(self.on.year, 1, 2))
        if end >= self.on - timedelta(days=1):
            return False
        self.hnte(years_after(end, -3) + timedelta(days=1))
        return True

    def hnte_renewing(self) -> None:
        if self.hnte_past():
            publicised = self.on - timedelta(days=1)
            self.add("hnte", batch=f"{self.on.year}年第一批", publicity_on=publicised, cohort_year=self.on.year)
        else:
            self.hnte_valid()

    def hnte_lapsed(self) -> None:
        end = date(self.on.year - 1, 10, 12) + timedelta(days=self.rng.randint(0, 60))
        self.hnte(years_after(end, -3) + timedelta(days=1))

    def hnte_ended(self, reason: str) -> None:
        ended = self.ago(60, 250)
        self.hnte(ended - timedelta(days=self.rng.randint(300, 700)), ended_on=ended, end_reason=reason)

    def hnte_renewed(self) -> None:
        """Two certificates as one spell: the old one ended in autumn, the new one was issued weeks later."""
        second = date(self.on.year - 1, 11, 10) + timedelta(days=self.rng.randint(0, 30))
        old_end = second - timedelta(days=self.rng.randint(10, 30))
        self.hnte(years_after(old_end, -3) + timedelta(days=1))
        self.serial += 5000
        self.hnte(second)

    # The 培育库.

    def in_pool(self, pool_class: str) -> None:
        self.pool.append(self.membership(self.ago(60, 800), pool_class))

    def membership(self, entered: date, pool_class: str) -> Fields:
        return {
            "year": entered.year,
            "pool_class": pool_class,
            "proposed_on": entered - timedelta(days=24),
            "decided_on": entered - timedelta(days=4),
            "entered_on": entered,
            "meeting": f"{entered.year} 年第 {self.rng.randint(2, 9)} 次局务会",
            "document": f"虚构会议纪要〔{entered.year}〕{self.rng.randint(3, 40)}号",
            "planned_year": self.on.year + (1 if pool_class == "key" else 2),
            "planned_batch": self.rng.choice(("第一批", "第二批", "第三批")),
        }

    def pool_proposed(self) -> None:
        self.pool.append(
            {
                "year": self.on.year,
                "pool_class": "long_term",
                "proposed_on": self.ago(2, 15),
                "planned_year": self.on.year + 2,
            }
        )

    def pool_decided(self) -> None:
        known = self.membership(self.ago(1, 5), "key")
        self.pool.append({code: value for code, value in known.items() if code != "entered_on"})

    def pool_out(self) -> None:
        entered = self.ago(500, 1100)
        left = entered + timedelta(days=self.rng.randint(200, 450))
        reason = self.rng.choice(w.LEAVE_REASONS[1:])
        self.pool.append({**self.membership(entered, "long_term"), "left_on": left, "leave_reason": reason})

    def follow(self, recipe: str) -> None:
        """What a recipe of STEPS makes."""
        for step in filter(None, STEPS[recipe].split(" + ")):
            method, *arguments = step.split()
            getattr(self, method)(*arguments)

    def cq_chain_ended(self) -> None:
        self.cq_chain(ended=True)

    def merged_revoked(self) -> None:
        ended = self.ago(1, 10)
        self.merged(ended_on=ended, end_reason="cancelled")
