"""Numbers that identify an enterprise or a certificate: read, checked, and doubted in words, never refused."""

import re
import unicodedata
from dataclasses import dataclass

# GB 32100-2015: 31 characters, the letters I O S V Z are left out; a character's value is its place.
ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_VALUE = {character: value for value, character in enumerate(ALPHABET)}
_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))

# GB 11714: the organisation code's own eight places and their weights; its alphabet has all 26 letters.
_ORG_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)

# What is meant when a letter stands that the standard leaves out.
_LOOKALIKES = str.maketrans({"O": "0", "I": "1", "Z": "2", "S": "5"})

# Registering office and class, positions 1–2, as far as they tell the subject type of crm/domain/fields.py.
# 91 covers companies, 个人独资, 合伙 and their branches alike, so it tells nothing.
_SUBJECT_TYPES = {"92": "self_employed", "93": "cooperative", "12": "institution"}
_FIRST_CHARACTERS = frozenset("123456789AGNY")

# A division code that GB/T 2260 has not assigned, so that no real enterprise carries it.
INVENTED_DIVISION = "500299"


@dataclass(frozen=True)
class CodeCheck:
    """What a written code turned out to be.

    ``ok`` means nothing to doubt; otherwise ``warning`` is one sentence for the screen. ``kind`` is ``uscc``
    (18 places of the standard's alphabet), ``old15`` (a registration number from before 2015) or ``other``.
    ``suggestion`` is the code that was probably meant. A failing check is never a reason to refuse: codes issued
    early fail it and are real.
    """

    ok: bool
    normal: str
    warning: str | None
    kind: str
    suggestion: str | None = None


def normalise_code(text: str) -> str:
    """The code without blanks, quotes and hyphens, half-width and in capitals."""
    plain = unicodedata.normalize("NFKC", text)
    return re.sub(r"[\s'`\u2018\u2019\u200b\ufeff\-]", "", plain).upper()


def check_character(first17: str) -> str:
    """The 18th character of GB 32100-2015 for the first seventeen; raises ValueError outside the alphabet."""
    if len(first17) != 17 or any(character not in _VALUE for character in first17):
        raise ValueError("seventeen characters of the GB 32100 alphabet are needed")
    total = sum(_VALUE[character] * weight for character, weight in zip(first17, _WEIGHTS, strict=True))
    return ALPHABET[(31 - total % 31) % 31]


def organisation_digit(first8: str) -> str:
    """The check digit of a GB 11714 organisation code (10 is written X, 11 is written 0)."""
    total = sum(int(character, 36) * weight for character, weight in zip(first8, _ORG_WEIGHTS, strict=True))
    rest = 11 - total % 11
    return {10: "X", 11: "0"}.get(rest, str(rest))


def old_number_digit(first14: str) -> str:
    """The last digit of a 15-digit registration number (GB/T 17710, modulus 11,10)."""
    rest = 10
    for character in first14:
        rest = (rest + int(character)) % 10 or 10
        rest = rest * 2 % 11
    return str((11 - rest) % 10)


def subject_type_of(code: str) -> str | None:
    """The subject type a credit code tells by its first two places, None when it does not."""
    return _SUBJECT_TYPES.get(code[:2])


def check_code(code: str) -> CodeCheck:
    """Read a 统一社会信用代码 as somebody wrote it; the division digits are never judged."""
    normal = normalise_code(code)
    if re.fullmatch(r"\d{15}", normal):
        return CodeCheck(False, normal, _old_number_warning(normal), "old15")
    if len(normal) != 18:
        return CodeCheck(False, normal, f"信用代码有 {len(normal)} 位，应为 18 位。对照营业执照补全。", "other")
    strange = [character for character in normal if character not in _VALUE]
    if strange:
        return _with_lookalikes(normal, strange)
    warning = _uscc_warning(normal)
    return CodeCheck(warning is None, normal, warning, "uscc")


def _old_number_warning(number: str) -> str:
    if number[-1] != old_number_digit(number[:14]):
        return "15 位旧注册号，校验位也不符。核对后按旧号查找，并补 18 位统一社会信用代码。"
    return "15 位旧注册号，只用来查找。补 18 位统一社会信用代码。"


def _with_lookalikes(normal: str, strange: list[str]) -> CodeCheck:
    meant = normal.translate(_LOOKALIKES)
    letters = "、".join(dict.fromkeys(strange))
    if all(character in _VALUE for character in meant) and _uscc_warning(meant) is None:
        return CodeCheck(False, normal, f"信用代码里有 {letters}，可能是 {meant}。核对后改正。", "other", meant)
    return CodeCheck(False, normal, f"信用代码里有 {letters}，统一社会信用代码不用这些字符。核对后改正。", "other")


def _uscc_warning(normal: str) -> str | None:
    if not re.fullmatch(r"\d{6}", normal[2:8]) or normal[0] not in _FIRST_CHARACTERS:
        return "信用代码的前 8 位不合编码规则。对照营业执照核对，确实如此可照存。"
    if normal[17] != check_character(normal[:17]):
        return "信用代码校验位不符。对照营业执照核对，确实如此可照存。"
    if normal[16] != organisation_digit(normal[8:16]):
        return "信用代码里的组织机构代码校验位不符。对照营业执照核对，确实如此可照存。"
    return None


_CLASS_OF_SUBJECT = {"self_employed": "92", "cooperative": "93", "institution": "12"}


def make_code(n: int, division: str = INVENTED_DIVISION, subject_type: str = "company") -> str:
    """The n-th invented credit code of a division: both check characters right, no two n alike below 31⁶.

    For demo and tests only. The default division is not assigned, so the code belongs to no real enterprise.
    """
    if not 0 <= n < 31**6:
        raise ValueError("n must lie between 0 and 31**6")
    # Multiplying by a number prime to 31 scatters the codes without ever repeating one.
    rest, places = (n * 500_029_747 + 12_345_678) % 31**6, []
    for _ in range(6):
        rest, place = divmod(rest, 31)
        places.append(ALPHABET[place])
    organisation = "MA" + "".join(reversed(places))
    first17 = _CLASS_OF_SUBJECT.get(subject_type, "91") + division + organisation + organisation_digit(organisation)
    return first17 + check_character(first17)


def make_old_number(n: int, division: str = INVENTED_DIVISION) -> str:
    """The n-th invented 15-digit registration number, its check digit right; for demo and tests only."""
    first14 = f"{division}{2_000_000 + n:08d}"
    return first14 + old_number_digit(first14)


# Patterns taken from samples, so a number outside them is doubted and kept: national.md §2.7 and §1.6.
_NUMBER_PATTERNS = {
    "hnte": (re.compile(r"G[RFS]\d{12}"), "高企证书编号一般是 GR 加 12 位数字。核对证书，确实如此可照存。"),
    "tech_sme": (
        re.compile(r"20\d{2}\d{6}[0AB][08]\d{6}"),
        "科技型中小企业入库登记编号一般是 18 位：年份、区划、两位标志、6 位序号。核对后可照存。",
    ),
}


def number_warning(kind: str, number: str) -> str | None:
    """A sentence when a certificate or registration number looks unlike those seen so far, else None.

    Kinds without a known pattern, and blank numbers, are never doubted.
    """
    known, normal = _NUMBER_PATTERNS.get(kind), normalise_code(number)
    if known is None or not normal or known[0].fullmatch(normal):
        return None
    return known[1]
