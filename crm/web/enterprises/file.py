"""What the pages of one enterprise read of it, each part once and only when asked for."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from crm.actions.rights import may_edit
from crm.domain.cadences import INTERNAL_KINDS
from crm.domain.kinds import KINDS, POOL
from crm.domain.viewers import CONFIDENTIAL, INTERNAL
from crm.store.applications import applications_of
from crm.store.enterprise_rows import shown
from crm.store.enterprises import affiliations_of, aliases_of
from crm.store.figures import figures_of
from crm.store.intellectual_property import ip_of
from crm.store.obligation_lists import WAITING
from crm.store.obligations import obligations_of
from crm.store.pool import memberships_of
from crm.store.qualifications import qualifications_of
from crm.store.scope import visible_enterprise
from crm.store.windows import calendar
from crm.web.doors import today, viewer


@dataclass
class File:
    """What the page reads of one enterprise; each part is read when a tab asks for it."""

    row: Any
    standing: Any
    on: date

    @cached_property
    def classes(self) -> frozenset[str]:
        return viewer().classes_over(self.standing)

    @property
    def reads_figures(self) -> bool:
        return CONFIDENTIAL in self.classes

    @cached_property
    def may_edit(self) -> bool:
        return may_edit(viewer(), self.standing)

    @cached_property
    def affiliations(self):
        return affiliations_of(self.row.id)

    @cached_property
    def aliases(self):
        return aliases_of(self.row.id)

    @cached_property
    def qualifications(self):
        return qualifications_of(self.row.id)

    @property
    def reads_internal(self) -> bool:
        return INTERNAL in self.classes

    @cached_property
    def applications(self):
        return applications_of(self.row.id) if self.reads_internal else []

    @cached_property
    def pool(self):
        return memberships_of(self.row.id)

    @cached_property
    def rounds(self):
        return calendar().of(self.row.region_id)

    @cached_property
    def figures(self):
        return figures_of(self.row.id) if self.reads_figures else []

    @cached_property
    def ip(self):
        return ip_of(self.row.id)

    @cached_property
    def obligations(self):
        found = obligations_of(self.row.id)
        # Next steps, requests and applications are inside matters; what follows from titles is for everybody.
        return found if self.reads_internal else [one for one in found if one.kind not in INTERNAL_KINDS]

    @property
    def waiting(self):
        """What is 未办, as the due list means it; the tab, the panel and the list behind them count the same."""
        return [one for one in self.obligations if one.state in WAITING]

    @property
    def states(self) -> dict[str, str]:
        found = {kind: getattr(self.standing, kind) for kind in (*KINDS, POOL)}
        return {kind: state for kind, state in found.items() if shown(kind, state)}

    @cached_property
    def belongs(self) -> dict[str, Any]:
        """The affiliation in force of each kind."""
        found = {}
        for one in self.affiliations:
            if (one.starts_on is None or one.starts_on <= self.on) and (one.ends_on is None or self.on <= one.ends_on):
                found[one.kind] = one
        return found


def file_of(enterprise_id: int) -> File:
    """The enterprise for this viewer; NotFound when it is not theirs to see."""
    row, standing = visible_enterprise(enterprise_id, viewer())
    return File(row, standing, today())
