"""The yearly figures of an invented enterprise."""

import random
from dataclasses import dataclass, field
from decimal import Decimal

from crm.cli import demo_words as w
from crm.cli.demo_titles import Fields

# Typical revenue of the year before in 万元 by rung: (least, most).
_REVENUE = ((60, 900), (180, 2600), (700, 3800), (1500, 9000), (2600, 16000))


@dataclass
class Book:
    """The yearly figures of one enterprise: each year grows out of the one before. Money in 元."""

    rng: random.Random
    trade: w.Trade
    subject: str
    rung: int
    complete: bool
    revenue: Decimal = field(init=False)
    staff: int = field(init=False)
    rd_share: float = field(init=False)

    def __post_init__(self) -> None:
        least, most = _REVENUE[self.rung]
        self.revenue = _yuan(self.rng.triangular(least, most, least + (most - least) / 4))
        self.staff = max(3, round(float(self.revenue) / 10_000 / self.rng.uniform(25, 70)))
        # Some spend nothing, some just miss the line, some are well above it.
        self.rd_share = self.rng.choice((0.0, 0.022, 0.036, 0.046, 0.052, 0.064, 0.081))
        if self.rung >= 2:
            self.rd_share = max(self.rd_share, 0.041)

    def year(self) -> Fields:
        """One year, after which the book has grown by one."""
        rng, revenue = self.rng, self.revenue
        rd = _round(revenue * Decimal(str(round(self.rd_share * rng.uniform(0.85, 1.2), 4))))
        assets = _round(revenue * Decimal(str(round(rng.uniform(0.6, 1.4), 3))))
        liabilities = _round(assets * Decimal(str(round(rng.uniform(0.25, 0.7), 3))))
        profit = _round(revenue * Decimal(str(round(rng.uniform(-0.04, 0.12), 3))))
        scientists = max(0, round(self.staff * (rng.uniform(0.05, 0.34) if self.rung else rng.uniform(0.0, 0.12))))
        known: Fields = {
            "revenue": revenue,
            "sales": revenue,
            "main_revenue": _round(revenue * Decimal("0.93")),
            "total_income": _round(revenue * Decimal("1.01")),
            "cost_expense": _round(revenue - profit),
            "rd_expense": rd,
            "rd_expense_deduction": _round(rd * Decimal("0.92")),
            "total_assets": assets,
            "total_liabilities": liabilities,
            "net_assets": assets - liabilities,
            "net_profit": profit,
            "tax_paid": _round(revenue * Decimal("0.031")),
            "staff_count": self.staff,
            "sci_staff_sme": scientists,
            "sme_industry": self.trade.sme,
        }
        if self.rung >= 1:
            known["insured_count"] = max(0, self.staff - rng.randint(0, 6))
            known["sci_staff_hnte"] = max(0, scientists - rng.randint(0, 1))
        if self.rung >= 2:
            known["hightech_income"] = _round(revenue * Decimal(str(round(rng.uniform(0.45, 0.85), 3))))
            known["rd_expense_hnte"] = rd
            known["rd_expense_domestic"] = rd
            known["rd_staff_count"] = scientists
        self.grow()
        told = {**known, **self.clean_record()} if self.complete else self.with_blanks(known)
        if "sci_staff_hnte" in told and "staff_count" in told:
            told["staff_count_hnte"] = told["staff_count"]
        return told

    def grow(self) -> None:
        growth = self.rng.triangular(-0.12, 0.35, 0.09)
        self.revenue = _round(self.revenue * Decimal(str(round(1 + growth, 3))))
        self.staff = max(2, round(self.staff * self.rng.uniform(0.95, 1.1)))

    def with_blanks(self, known: Fields) -> Fields:
        """Takes out what a county typically does not know; revenue and head count are the last to be missing."""
        sure = {"revenue": 0.03, "staff_count": 0.05, "rd_expense": 0.1, "sme_industry": 0.2}
        kept = {code: value for code, value in known.items() if self.rng.random() > sure.get(code, 0.35)}
        return kept or {"staff_count": self.staff}

    def clean_record(self) -> Fields:
        return {
            "had_major_accident": False,
            "had_env_violation": False,
            "had_research_misconduct": False,
            "was_blacklisted": False,
            "restricted_products": False,
            "own_accounts": self.subject in ("company", "cooperative"),
            "national_award_top3": False,
            "ministry_rd_institution": False,
            "led_standard": False,
        }


def _yuan(ten_thousands: float) -> Decimal:
    """An amount in 元, whole to a tenth of a 万元 as such tables are filled in."""
    return Decimal(round(ten_thousands * 10)) * 1000


def _round(amount: Decimal) -> Decimal:
    return (amount / 1000).quantize(Decimal(1)) * 1000
