"""The visits, calls and trainings of the invented world."""

import random
from collections.abc import Iterator
from datetime import date, timedelta

from crm.cli import demo_words as w
from crm.cli.demo_shapes import COUNTY, SECOND, DemoEnterprise, DemoLog, DemoUser
from crm.cli.demo_titles import Fields


class Logs:
    """Fourteen months of visits, calls and trainings, each by whoever was the case manager that day."""

    def __init__(
        self, rng: random.Random, on: date, enterprises: tuple[DemoEnterprise, ...], users: tuple[DemoUser, ...]
    ) -> None:
        self.rng, self.on, self.enterprises = rng, on, enterprises
        self.names = {user.login: user.name for user in users}
        self.products = {trade.code: trade.products for trade in w.TRADES}

    def all(self) -> tuple[DemoLog, ...]:
        logs = [log for enterprise in self.enterprises for log in self.own(enterprise)]
        logs += self.trainings(COUNTY, 12) + self.trainings(SECOND, 3)
        return tuple(sorted(logs, key=lambda log: (log.fields["happened_on"], log.enterprises)))

    def own(self, enterprise: DemoEnterprise) -> Iterator[DemoLog]:
        """A handful of events; the last one may carry a next step that is overdue, near or far."""
        most = (2, 4, 6, 8, 9)[enterprise.rung]
        days = sorted({self.on - timedelta(days=self.rng.randint(1, 420)) for _ in range(self.rng.randint(0, most))})
        for place, happened in enumerate(self.workday(day) for day in days):
            author = enterprise.value_on("manager", happened)
            if author is not None:
                last = place == len(days) - 1
                yield self.event(enterprise, happened, author, last=last)

    def event(self, enterprise: DemoEnterprise, happened: date, author: str, *, last: bool) -> DemoLog:
        rng = self.rng
        kind = rng.choices(("visit", "phone", "material", "request"), (6, 4, 1, 1))[0]
        fields: Fields = {
            "happened_on": happened,
            "kind": kind,
            "text": self.text(enterprise, kind),
            "author_name": self.names[author],
        }
        done_on = None
        if rng.random() < (0.4 if last else 0.2):
            fields["next_step"] = rng.choice(w.NEXT_STEPS)
            if last:
                # What the desk shows: a few overdue, some this week, most later.
                away = rng.choices((-12, -3, -1, 2, 6, 15, 40), (1, 1, 1, 2, 4, 6, 6))[0]
                fields["next_step_on"] = max(self.on + timedelta(days=away), happened + timedelta(days=1))
            else:
                fields["next_step_on"] = happened + timedelta(days=14)
                done_on = min(self.on, happened + timedelta(days=rng.randint(3, 20)))
        return DemoLog(fields, author, enterprise.region, (enterprise.key,), done_on)

    def text(self, enterprise: DemoEnterprise, kind: str) -> str:
        if kind == "request":
            return self.rng.choice(w.REQUESTS) + "。"
        patterns = w.PHONES if kind == "phone" else w.VISITS
        product = self.rng.choice(self.products[enterprise.fields["featured_industry"]])
        return self.rng.choice(patterns).format(product=product, detail=self.rng.choice(w.DETAILS))

    def trainings(self, region: str, count: int) -> list[DemoLog]:
        """One event with five to nine enterprises, written once."""
        pool = [enterprise for enterprise in self.enterprises if enterprise.region == region]
        found = []
        for _ in range(count):
            title, text = self.rng.choice(w.TRAININGS)
            happened = self.workday(self.on - timedelta(days=self.rng.randint(5, 415)))
            guests = self.rng.sample(pool, k=min(len(pool), self.rng.randint(5, 9)))
            authors = [author for one in guests if (author := one.value_on("manager", happened))]
            if authors:
                fields = {
                    "happened_on": happened,
                    "kind": "training",
                    "text": f"{title}：{text}（{len(guests)} 家同场）。",
                    "author_name": self.names[authors[0]],
                }
                found.append(DemoLog(fields, authors[0], region, tuple(sorted(one.key for one in guests))))
        return found

    @staticmethod
    def workday(day: date) -> date:
        return day - timedelta(days=max(0, day.weekday() - 4))
