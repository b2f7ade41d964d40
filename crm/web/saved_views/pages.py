"""The lists that keep views, and how each understands an address: its shape without page, and what it would count."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import parse_qsl

from flask import url_for

from crm.store import application_lists, enterprise_lists, obligation_lists, request_lists
from crm.web.addresses import Texts
from crm.web.applications import filters as application_filters
from crm.web.applications import listing as application_listing
from crm.web.doors import now, today, viewer
from crm.web.enterprises import filters as enterprise_filters
from crm.web.enterprises import listing as enterprise_listing
from crm.web.obligations import listing as obligation_listing
from crm.web.requests import filters as request_filters
from crm.web.requests import listing as request_listing

# A tab: its key, its words, its address, how many are behind it (None: not counted), and whether it is late things.
Tab = tuple[str, str, str, int | None, bool]


@dataclass(frozen=True)
class ListPage:
    """One list whose views can be saved.

    ``standing`` are the tabs everybody has, given which is open and what the list shows; where they already cover the
    whole list (``covers``) there is no tab 全部 before them.
    """

    key: str
    title: str
    endpoint: str
    unit: str
    shape: Callable[[str], str]
    count: Callable[[str], int]
    standing: Callable[[str, str], Iterable[Tab]]
    covers: bool = False

    def href(self, query: str, view_id: int | None = None) -> str:
        """The address of the list with a query, and the view it was opened by."""
        parts = [part for part in (query, f"saved={view_id}" if view_id else "") if part]
        return url_for(self.endpoint) + ("?" + "&".join(parts) if parts else "")


def _texts(query: str) -> Texts:
    return Texts(parse_qsl(query[:8_000]))


def _count_enterprises(query: str) -> int:
    wanted = enterprise_listing.asked_by(_texts(query)).filter
    return enterprise_lists.count(wanted, viewer(), today=today())


def _standing_views(current: str, shape: str) -> Iterable[Tab]:
    """The views everybody has, but those with nothing in them."""
    person, when = viewer(), enterprise_listing.when()
    for key, (label, narrow) in enterprise_filters.views_for(person.public_only).items():
        wanted = narrow(enterprise_lists.Filter(), when)
        n = enterprise_lists.count(wanted, person, today=today())
        if n or key == current:
            yield key, label, url_for("enterprises.index", view=key), n, key == "overdue"


def _count_obligations(query: str) -> int:
    wanted = obligation_listing.asked_by(_texts(query)).filter
    return obligation_lists.pivot(wanted, viewer(), now=now()).count(wanted)


def _count_applications(query: str) -> int:
    return application_lists.count(application_listing.asked_by(_texts(query)).filter, viewer())


def _application_states(current: str, shape: str) -> Iterable[Tab]:
    """In hand and ended, and the ends there are, each of what the list is narrowed to."""
    asked = application_listing.asked_by(_texts(shape))
    counted = application_lists.state_counts(asked.filter, viewer())
    for key, label in application_filters.STATES.items():
        n = counted.get(key, 0)
        if n or key in (current, application_lists.IN_HAND, application_lists.ENDED):
            changes = {"state": None if key == application_lists.IN_HAND else key, "saved": None}
            yield key, label, url_for("applications.table") + asked.query(**changes), n, False


def _count_requests(query: str) -> int:
    asked = request_listing.asked_by(_texts(query))
    return request_lists.counts(asked.filter, viewer(), on=today())[asked.view]


def _request_states(current: str, shape: str) -> Iterable[Tab]:
    """Every state of what the list is narrowed to."""
    asked = request_listing.asked_by(_texts(shape))
    counted = request_lists.counts(asked.filter, viewer(), on=today())
    for key, label in request_filters.VIEWS.items():
        yield key, label, url_for("requests.index") + asked.in_view(key), counted[key], key == "overdue"


PAGES: dict[str, ListPage] = {
    "enterprises": ListPage(
        "enterprises",
        "企业",
        "enterprises.index",
        "家",
        lambda query: enterprise_listing.asked_by(_texts(query)).shape,
        _count_enterprises,
        _standing_views,
    ),
    "obligations": ListPage(
        "obligations",
        "到期事项",
        "obligations.index",
        "项",
        lambda query: obligation_listing.asked_by(_texts(query)).shape,
        _count_obligations,
        lambda current, shape: (),
    ),
    "applications": ListPage(
        "applications",
        "申报",
        "applications.table",
        "件",
        lambda query: application_listing.asked_by(_texts(query)).shape,
        _count_applications,
        _application_states,
        covers=True,
    ),
    "requests": ListPage(
        "requests",
        "企业诉求",
        "requests.index",
        "件",
        lambda query: request_listing.asked_by(_texts(query)).shape,
        _count_requests,
        _request_states,
        covers=True,
    ),
}
