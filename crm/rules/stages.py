"""Stage templates as data: through which stages an application of a kind goes, and along which edges (stages.toml)."""

from functools import cache
from typing import Any

from crm.domain.stages import (
    COUNTY,
    EDGE_KINDS,
    ENDS,
    ENTERPRISE,
    FORWARD,
    RETURN,
    STAGES,
    Edge,
    Stage,
    Template,
    Templates,
)
from crm.rules.entries import codes_of, entries_of, header_of, parts_of, require_every_kind
from crm.rules.loader import RuleFileError

_END_OF = {"withdraw": "withdrawn", "not_recommended": "not_recommended", "failed": "failed", "passed": "passed"}


@cache
def load_stages() -> Templates:
    """The templates of stages.toml. Raises RuleFileError naming the entry that cannot be used."""
    entries = entries_of("stages", "template", _template)
    require_every_kind("stages", "template", entries)
    return Templates(entries)


def _template(entry: dict[str, Any], where: str) -> Template:
    header = header_of(entry, where)
    stages = parts_of(entry, "stage", _stage, where, "stages")
    codes = codes_of(stages)
    found = entry.get("edge", [])
    edges = tuple(edge for n, one in enumerate(found, 1) for edge in _edges(one, codes, f"{where}: edge {n}"))
    pairs = [(edge.source, edge.target) for edge in edges]
    twice = next((pair for pair in pairs if pairs.count(pair) > 1), None)
    if twice:
        raise RuleFileError(f"{where}: the edge {twice[0]} to {twice[1]} stands twice")
    reached = {codes[0], *(edge.target for edge in edges)}
    if lost := [code for code in codes if code not in reached]:
        raise RuleFileError(f"{where}: no edge leads to {', '.join(lost)}")
    return Template(header.kinds, stages, edges, header.valid_from, header.valid_to, header.citation)


def _stage(entry: dict[str, Any], where: str) -> Stage:
    code = entry.get("code")
    if code not in STAGES:
        raise RuleFileError(f"{where}: code {code!r} is unknown")
    for name in ("ends_by", "enter_by"):
        if entry.get(name) not in (None, ENTERPRISE, COUNTY):
            raise RuleFileError(f"{where}: {name} is enterprise or county")
    days = entry.get("workdays")
    if days is not None and (type(days) is not int or days < 1):
        raise RuleFileError(f"{where}: workdays must be a whole number")
    return Stage(
        code=str(code),
        name=str(entry.get("name", STAGES[code])),
        ends_by=entry.get("ends_by"),
        workdays=days,
        enter_by=entry.get("enter_by"),
        collecting=bool(entry.get("collecting", False)),
    )


def _edges(entry: dict[str, Any], codes: list[str], where: str) -> list[Edge]:
    """One entry may name several stages it leads from: withdrawal is possible nearly everywhere."""
    kind = entry.get("kind", FORWARD)
    if kind not in EDGE_KINDS:
        raise RuleFileError(f"{where}: kind {kind!r} is unknown")
    sources = entry.get("from")
    if not isinstance(sources, list) or not set(sources) <= set(codes):
        raise RuleFileError(f"{where}: from must be a list of stages of the template")
    target = entry.get("to", _END_OF.get(kind))
    allowed = set(codes) if kind in (FORWARD, RETURN) else ENDS.keys() & {_END_OF[kind]}
    if target not in allowed:
        raise RuleFileError(f"{where}: a {kind} step cannot lead to {target!r}")
    asked = bool(entry.get("reason", kind not in (FORWARD, "passed")))
    return [Edge(source, str(target), kind, asked, bool(entry.get("office", False))) for source in sources]
