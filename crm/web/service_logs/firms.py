"""The enterprises of events, as far as the viewer sees them."""

from sqlalchemy import select

from crm.extensions import db
from crm.store.enterprises import Enterprise
from crm.store.scope import visible
from crm.store.service_logs import ServiceLogEnterprise
from crm.web.doors import viewer


def chosen_of(ids: list[int]) -> list[tuple[int, str]]:
    """The enterprises of a form that came back, those of others left out without a word."""
    query = select(Enterprise.id, Enterprise.name).where(Enterprise.id.in_(ids))
    names = dict(db.session.execute(visible(query, viewer())).all()) if ids else {}
    return [(i, names[i]) for i in dict.fromkeys(ids) if i in names]


def enterprises_of(log_ids: list[int]) -> dict[int, list[tuple[int, str]]]:
    """{log: [(enterprise, name)]} of these events, as far as the viewer sees the enterprises."""
    if not log_ids:
        return {}
    link = ServiceLogEnterprise
    query = (
        select(link.service_log_id, Enterprise.id, Enterprise.name)
        .select_from(link)
        .join(Enterprise, Enterprise.id == link.enterprise_id)
        .where(link.service_log_id.in_(log_ids))
        .order_by(link.id)
    )
    found: dict[int, list[tuple[int, str]]] = {}
    for log_id, enterprise_id, name in db.session.execute(visible(query, viewer())):
        found.setdefault(log_id, []).append((enterprise_id, name))
    return found
