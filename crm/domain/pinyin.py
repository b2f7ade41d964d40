"""Chinese names for sorting and for search by initials: whole names, every reading, the same text on both databases."""

import re
import unicodedata
import zlib
from collections.abc import Iterable
from functools import lru_cache
from itertools import islice, product
from typing import Any

from crm.domain.names import HOME_PLACES, normalise_name, split_name

# More readings than this of one name are not kept: the rest would be longer than useful.
MOST_READINGS = 8

# The search text of one enterprise is cut here, unusual readings first; a column of the database is as wide.
HAYSTACK_LENGTH = 8000

# A sort key is cut here; two names that agree so far are told apart by the checksum at its end.
SORT_KEY_LENGTH = 600

# Words whose reading the dictionary does not know or gives for another sense: places, herbs, double surnames.
_FIXED: dict[str, str] = {
    "单县": "shan4 xian4",
    "单氏": "shan4 shi4",
    "乐清": "yue4 qing1",
    "乐亭": "lao4 ting2",
    "六安": "lu4 an1",
    "台州": "tai1 zhou1",
    "天台": "tian1 tai1",
    "铅山": "yan2 shan1",
    "东阿": "dong1 e1",
    "番禺": "pan1 yu2",
    "大埔": "da4 bu4",
    "黄陂": "huang2 pi2",
    "洪洞": "hong2 tong2",
    "浚县": "xun4 xian4",
    "莘县": "shen1 xian4",
    "中牟": "zhong1 mu4",
    "牟平": "mu4 ping2",
    "蔚县": "yu4 xian4",
    "尉犁": "yu4 li2",
    "尉氏": "wei4 shi4",
    "筠连": "jun1 lian2",
    "珙县": "gong3 xian4",
    "犍为": "qian2 wei2",
    "什邡": "shi2 fang1",
    "涪陵": "fu2 ling2",
    "綦江": "qi2 jiang1",
    "北碚": "bei3 bei4",
    "酉阳": "you3 yang2",
    "朝天门": "chao2 tian1 men2",
    "朝阳": "chao2 yang2",
    "长寿": "chang2 shou4",
    "厦门": "xia4 men2",
    "重楼": "chong2 lou2",
    "党参": "dang3 shen1",
    "丹参": "dan1 shen1",
    "沙参": "sha1 shen1",
    "玄参": "xuan2 shen1",
    "太子参": "tai4 zi3 shen1",
    "天麻": "tian1 ma2",
    "畜禽": "chu4 qin2",
    "畜牧": "xu4 mu4",
    "尉迟": "yu4 chi2",
    "万俟": "mo4 qi2",
    "长孙": "zhang3 sun1",
    "单于": "chan2 yu2",
    "令狐": "ling2 hu2",
    "澹台": "tan2 tai2",
}
_FIXED_WORD = re.compile("|".join(sorted(_FIXED, key=len, reverse=True)))

# Characters with another reading as a surname.
_SURNAMES: dict[str, str] = {
    "曾": "zeng1",
    "单": "shan4",
    "仇": "qiu2",
    "解": "xie4",
    "查": "zha1",
    "盖": "ge3",
    "区": "ou1",
    "朴": "piao2",
    "乐": "yue4",
    "覃": "qin2",
    "翟": "zhai2",
    "冼": "xian3",
    "洗": "xian3",
    "缪": "miao4",
    "召": "shao4",
    "种": "chong2",
    "秘": "bi4",
    "繁": "po2",
    "员": "yun4",
    "隗": "wei3",
    "尉": "wei4",
    "折": "she2",
    "任": "ren2",
    "华": "hua4",
    "宁": "ning4",
    "祭": "zhai4",
    "黑": "he4",
    "柏": "bai3",
    "宿": "su4",
    "褚": "chu3",
    "燕": "yan1",
    "应": "ying1",
}
_SURNAME = re.compile(rf"(?:^|老)([{''.join(_SURNAMES)}])(?=氏|记|家)")

# Readings that occur in names today, without tones; archaic ones of the dictionary would only lengthen the search text.
_READING_TABLE = (
    "重:zhong chong|长:chang zhang|行:xing hang|单:shan dan|曾:zeng ceng|朝:chao zhao|乐:le yue|"
    "厦:xia sha|都:du dou|参:can shen|调:diao tiao|会:hui kuai|盛:sheng cheng|谷:gu yu|柏:bai bo|"
    "宿:su xiu|泊:bo po|巷:xiang hang|区:qu ou|查:cha zha|仇:chou qiu|解:jie xie|盖:gai ge|尉:wei yu|"
    "翟:zhai di|覃:qin tan|藏:cang zang|降:jiang xiang|传:chuan zhuan|弹:dan tan|提:ti di|薄:bo bao|"
    "核:he hu|卡:ka qia|什:shi shen|车:che ju|贾:jia gu|莘:shen xin|铅:qian yan|堡:bao pu bu|埔:pu bu|"
    "阿:a e|六:liu lu|洞:dong tong|杉:shan sha|露:lu lou|落:luo la|蔓:man wan|芥:jie gai|茄:qie jia|"
    "荠:qi ji|蚌:bang beng|蛤:ha ge|粘:nian zhan|屏:ping bing|栖:qi xi|差:cha chai|咀:zui ju|"
    "泷:long shuang|浚:jun xun|澄:cheng deng|浒:hu xu|沈:shen chen|涌:yong chong|角:jiao jue|叶:ye xie|"
    "殷:yin yan|仔:zai zi|便:bian pian|度:du duo|弄:nong long|强:qiang jiang|折:zhe she|扎:zha za|"
    "择:ze zhai|晟:sheng cheng|朴:pu piao|枸:gou ju|楷:kai jie|瀑:pu bao|牟:mou mu|畜:xu chu|番:fan pan|"
    "省:sheng xing|系:xi ji|绿:lv lu|缪:miao mou|茜:qian xi|识:shi zhi|钥:yao yue|镐:gao hao|陆:lu liu|"
    "隗:wei kui|龟:gui jun qiu|率:shuai lv lu|吕:lv lu|旅:lv lu|铝:lv lu|律:lv lu|女:nv nu|驴:lv lu|"
    "石:shi dan|模:mo mu|给:gei ji|种:zhong chong|员:yuan yun|咖:ka ga|佛:fo fu|勒:le lei|卜:bu bo|"
    "恶:e wu|扁:bian pian|拓:tuo ta|摩:mo ma|黑:hei he|炮:pao bao|熟:shu shou|血:xue xie|褚:chu zhu|"
    "蔚:wei yu|筠:yun jun|繁:fan po|召:zhao shao|洗:xi xian|秘:mi bi|祭:ji zhai|合:he ge|粥:zhou yu|"
    "匙:shi chi|虹:hong jiang"
)
_READINGS: dict[str, tuple[str, ...]] = {entry[0]: tuple(entry[2:].split(" ")) for entry in _READING_TABLE.split("|")}


def _each(characters: str) -> Any:
    # pypinyin takes a list as one entry per character, which its own annotation does not say.
    return list(characters)


def _toned(text: str) -> tuple[str, ...]:
    """One entry per character: its syllable with the tone as a digit, or the character itself in lower case."""
    # The dictionary costs 45 MB and a fifth of a second, so only a process that saves a name ever loads it.
    from pypinyin import Style, lazy_pinyin

    syllables = lazy_pinyin(text, style=Style.TONE3, neutral_tone_with_five=True, errors=_each)
    for found in _FIXED_WORD.finditer(text):
        syllables[found.start() : found.end()] = _FIXED[found[0]].split()
    return tuple(syllable.lower() for syllable in syllables)


# Regions, trades and legal forms repeat from name to name; only the 字号 is read anew.
_toned_again = lru_cache(maxsize=8192)(_toned)


@lru_cache(maxsize=2048)
def _toned_parts(name: str, places: tuple[str, ...]) -> tuple[tuple[str, ...], str, tuple[str, ...], tuple[str, ...]]:
    """Syllables of the region, the 字号 itself, its syllables, and those of trade and legal form together."""
    parts = split_name(name, places)
    core = list(_toned(parts.core))
    for surname in _SURNAME.finditer(parts.core):
        core[surname.start(1)] = _SURNAMES[surname[1]]
    return _toned_again(parts.region), parts.core, tuple(core), _toned_again(parts.middle) + _toned_again(parts.form)


def _plain(name: str) -> str:
    return normalise_name(name).lower()


def _without_tone(syllable: str) -> str:
    return syllable[:-1] if len(syllable) > 1 and syllable[-1].isdigit() else syllable


def sort_key(name: str, places: tuple[str, ...] = HOME_PLACES) -> str:
    """Orders names as a Chinese dictionary does: by syllable, then tone; ASCII letters and digits only.

    The tone's digit also parts the syllables, and digits sort before letters under every collation, so the order is
    the same on SQLite and PostgreSQL. Names read alike are kept apart by a checksum; equal names have equal keys.
    """
    plain = _plain(name)
    region, _, core, rest = _toned_parts(plain, places)
    key = "".join(_ascii(syllable) for syllable in (*region, *core, *rest))
    return f"{key[:SORT_KEY_LENGTH]}0{zlib.crc32(plain.encode()):08x}"


def _ascii(syllable: str) -> str:
    if syllable.isascii():
        return "".join(character for character in syllable if character.isalnum())
    # A character outside the dictionary goes behind everything that can be read.
    return "".join(f"zz{ord(character):06x}" for character in syllable)


def latin(text: str) -> str:
    """The text in small letters and digits alone, read without tones: 巫溪烤鱼 is wuxikaoyu."""
    return "".join(_ascii(_without_tone(syllable)) for syllable in _toned(_plain(text)))


def search_keys(name: str, places: tuple[str, ...] = HOME_PLACES) -> tuple[str, ...]:
    """Initials and full pinyin of the whole name, then of other readings of its 字号, at most eight readings in all.

    The legal form stands only in the first pair: nobody searches 有限公司 by an unusual reading of the rest.
    """
    region, core, toned_core, rest = _toned_parts(_plain(name), places)
    head = [_without_tone(syllable) for syllable in region]
    tail = [_without_tone(syllable) for syllable in rest]
    middle = len(split_name(_plain(name), places).middle)
    keys: dict[str, None] = {}
    for reading in _readings_of(core, [_without_tone(syllable) for syllable in toned_core]):
        syllables = [*head, *reading, *(tail if not keys else tail[:middle])]
        keys["".join(syllable[0] for syllable in syllables)] = None
        keys["".join(syllables)] = None
    return tuple(keys)


def _readings_of(core: str, usual: list[str]) -> list[list[str]]:
    choices = []
    fixed = {place for found in _FIXED_WORD.finditer(core) for place in range(found.start(), found.end())}
    for place, (character, syllable) in enumerate(zip(core, usual, strict=True)):
        others = () if place in fixed else _READINGS.get(character, ())
        choices.append(list(dict.fromkeys((syllable, *others))))
    if all(len(choice) == 1 for choice in choices):
        return [usual]
    # Fewest changes first, so that with many ambiguous characters each other reading still gets its turn.
    every = islice(product(*(range(len(choice)) for choice in choices)), 4096)
    ranked = sorted(every, key=lambda picks: (sum(pick > 0 for pick in picks), picks))[:MOST_READINGS]
    return [[choice[pick] for choice, pick in zip(choices, picks, strict=True)] for picks in ranked]


def haystack(names: Iterable[str], codes: Iterable[str] = (), places: tuple[str, ...] = HOME_PLACES) -> str:
    """The lower-case text in which one substring search finds an enterprise; ask it with ``needle``.

    Names (today's and former ones), codes and numbers, and the pinyin of every name, each on a line of its own, so
    that no hit reaches over two of them.
    """
    known = list(dict.fromkeys(names))
    lines = dict.fromkeys(_plain(text) for text in (*known, *codes) if text)
    keys = [search_keys(name, places) for name in known]
    usual = (key for own in keys for key in own[:2])
    unusual = (key for own in keys for key in own[2:])
    return _lines_that_fit(dict.fromkeys((*lines, *usual, *unusual)))


def _lines_that_fit(lines: Iterable[str]) -> str:
    kept, room = [], HAYSTACK_LENGTH
    for line in lines:
        if len(line) + 1 <= room:
            kept.append(line)
            room -= len(line) + 1
    return "\n".join(kept)


def needle(text: str) -> str:
    """What somebody typed into the search box, in the form in which it stands in a haystack (ü is typed as v)."""
    return _plain(unicodedata.normalize("NFKC", text).replace("ü", "v").replace("Ü", "v"))
