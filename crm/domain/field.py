"""What is declared of one field: its label, type, unit, class, owner and what an empty cell of it means."""

from dataclasses import dataclass

from crm.domain.viewers import PUBLIC

# Types a value can have. The Python value behind each: text, long_text, code, choice, industry → str;
# date → date; year, count → int; money → Decimal 元 (exact to the 分); ratio, number → Decimal; yes_no → bool;
# choices → list[str]; region, person, park, carrier → id (int), written on sheets by name.
TYPES = frozenset(
    {"text", "long_text", "code", "industry", "date", "year", "count", "money", "ratio", "number", "yes_no", "choice"}
    | {"choices", "region", "person", "park", "carrier"}
)

# What an empty cell of a sheet means for the field. "leave": nothing is said, the stored value stays;
# only the typed word 清空 clears it. "none": the dash-like words (-、/、无、暂无) also mean nothing is said.
BLANKS = frozenset({"leave", "none"})


@dataclass(frozen=True)
class Field:
    """One field of a noun.

    ``unit`` is the canonical unit of the stored value; ``owner`` says whose word counts when sources differ
    ("enterprise", "bureau" or the name of a department); ``basis`` is the clause that gives the field its meaning.
    ``minimum`` / ``maximum`` are inclusive bounds beyond which a value is impossible, never policy thresholds.
    """

    noun: str
    code: str
    label: str
    type: str = "text"
    cls: str = PUBLIC
    unit: str = ""
    owner: str = "enterprise"
    blank: str = "none"
    length: int | None = None
    choices: str | None = None  # name of a list in CHOICES or of a dictionary kept in the database
    minimum: int | None = None
    maximum: int | None = None
    required: bool = False
    aliases: tuple[str, ...] = ()
    basis: str = ""

    @property
    def key(self) -> str:
        return f"{self.noun}.{self.code}"
