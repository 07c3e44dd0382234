"""Questions of every kind that a search box can get, sensible ones and others, for `bench fuzz` and a test.

Each is made from a seed and its number alone, so that one that failed can be asked again without those before it.
"""

from __future__ import annotations

import random
import sys
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from kb.search.language import STOP_WORDS
from kb.search.port import SORTS
from kb.services.query import CHOICES, FACET_PARAMS
from kb.services.vocabularies import Vocabulary

LONG = 5_000
"""Characters of the longest words."""

KINDS = 21
"""How many kinds of question there are; they take turns."""

_MOST_WORDS = 60_000  # words that are kept to choose from, so that rare ones of all languages are among them

_FIELDS = ("title", "country", "theme", "target_group", "region", "year", "Title", "YEAR", "nothing")
_VALUES = (
    "IT", "ES,DE", "Italia", "housing", "Wohnen", "labour-market-integration", "refugees", "ITC4", "DED", "ES51", "EL",
    "2018", "2018..2022", "..2015", "2016..", "2022..2018", "0", "99999", "2018..2018..2018", "20x8", "²⁰¹⁸", "*", '"',
    "", "-", "OR", ":", "a:b:c", "title:", "South Tyrol", "São Tomé", "\u202eTI", "ES" * 200, ",".join(["IT"] * 50),
)  # fmt: skip
_INJECTIONS = (
    "' OR 1=1 --", "'; DROP TABLE records; --", '" OR ""="', "1) UNION SELECT null,null--", "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>", "</mark><b>bold", "&lt;mark&gt; &amp; &#60;", "{{7*7}}", "{% for x in y %}",
    "${jndi:ldap://example.org/a}", "<%= 7*7 %>", "../../etc/passwd", "%00", "%2e%2e%2f", "%u0041", "%", "%%s %(q)s",
    "{0} {q!r} {", "\\x00\\u0000", "\\", "^(a+)+$", "(((((", "[a-z]*", "a{1,99999}", "\r\nSet-Cookie: a=b", "NaN",
    "null", "undefined", "1e309", "-0", "0x1F", "https://example.org/a?b=c&d=%20#e", "mailto:a@example.org",
    "C:\\path\\x", "//example.org", "javascript:alert(1)", "name@example.org", "=1+1", "@SUM(A1)", "+49 30 1234567",
    "10.000,50 €",
)  # fmt: skip
_BESIDE = (*FACET_PARAMS, "region", "drop", "sort", "sort", "page", "page", "per_page", "year_from", "year_to")
_CONTROLS = [chr(code) for code in (*range(32), 127, *range(128, 160))]
_INVISIBLE = list(
    "\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2060\ufeff\u00ad"
)
_SPACES = list(" \t\n\r\x0b\x0c\x85\u00a0\u2007\u2009\u2028\u2029\u3000")
_EMOJI = ("👩‍👩‍👧‍👦", "🏳️‍🌈", "🇮🇹", "👍🏽", "❤️", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "#️⃣")
_QUOTES = list("\"“”„‟«»＂'‘’`")
_SCRIPTS = (  # from where to where the letters of some alphabets are
    (0x41, 0x7A), (0xC0, 0x24F), (0x370, 0x3FF), (0x400, 0x4FF), (0x530, 0x58F), (0x590, 0x5FF), (0x600, 0x6FF),
    (0x900, 0x97F), (0xE00, 0xE7F), (0x10A0, 0x10FF), (0x1100, 0x11FF), (0x1E00, 0x1FFF), (0x3040, 0x30FF),
    (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0xFB00, 0xFDFF), (0xFF00, 0xFFEF), (0x1D400, 0x1D7FF), (0x1F300, 0x1FAFF),
)  # fmt: skip
_WIDE = ("ﷺ", "ŉ", "ΐ", "ﬃ", "ß", "İ", "ı", "ſ", "K", "Å", "ǅ", "ﬀ", "㎏", "½", "Ⅷ", "①", "ª", "ᾳ", "ſt")
"""Characters that become others, or more of them, when they are folded."""


class Ask(NamedTuple):
    """One question: its number, what kind it is of, and the parameters of its address."""

    number: int
    kind: str
    params: list[tuple[str, str]]

    @property
    def text(self) -> str:
        """What would stand in the search box."""
        return dict(self.params)["q"]


class Questions:
    """Makes questions from the words of `texts`, in any languages, and filters from a vocabulary."""

    def __init__(self, seed: int, texts: Iterable[str], vocabulary: Vocabulary) -> None:
        self.seed = seed
        self._known = _known(vocabulary)
        words = dict.fromkeys(word for text in texts for word in text.split())
        # Every so-manyth, so that each language and each text has its share.
        self._words = list(islice(words, 0, None, 1 + len(words) // _MOST_WORDS))
        self._kinds: dict[str, Callable[[random.Random], str]] = {
            "words": self._some_words, "typos": self._typos, "accents": self._accents, "joined": self._joined,
            "operators": self._operators, "broken": self._broken, "nested": self._nested, "phrases": self._phrases,
            "beginnings": self._beginnings, "unicode": _unicode, "alphabets": self._alphabets, "marks": self._marks,
            "controls": self._controls, "surrogates": self._surrogates, "long": self._long, "short": self._short,
            "stop words": _stop_words, "numbers": _numbers, "injections": self._injections, "spaces": self._spaces,
            "mixed": self._mixed,
        }  # fmt: skip

    def ask(self, number: int) -> Ask:
        """Return a question by its number."""
        chance = random.Random(f"{self.seed}/{number}")  # noqa: S311 - nothing here is secret
        kind = list(self._kinds)[number % KINDS]
        params = [("q", self._kinds[kind](chance))]
        if chance.random() < 0.35:
            params += self._beside(chance)
        return Ask(number, kind, params)

    # Words of the records

    def _word(self, chance: random.Random) -> str:
        return chance.choice(self._words)

    def _several(self, chance: random.Random, most: int) -> list[str]:
        # Mostly few, as people type, now and then many.
        return [self._word(chance) for _ in range(1 + int(most * chance.random() ** 3))]

    def _some_words(self, chance: random.Random) -> str:
        return " ".join(self._several(chance, 40))

    def _typos(self, chance: random.Random) -> str:
        return " ".join(_mistyped(chance, word) for word in self._several(chance, 8))

    def _accents(self, chance: random.Random) -> str:
        """Words without their accents, or with wrong ones, composed or not."""
        words = []
        for word in self._several(chance, 8):
            bare = "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))
            marked = "".join(c + chance.choice(("", "", "\u0301", "\u0308", "\u0328", "\u0335")) for c in bare)
            form = chance.choice(("NFC", "NFD", "NFKC", "NFKD"))
            words.append(
                unicodedata.normalize(form, chance.choice((word, bare, marked, word.upper(), word.swapcase())))
            )
        return " ".join(words)

    def _joined(self, chance: random.Random) -> str:
        """Words written as one, cut in two, or with hyphens and dots between them."""
        words = self._several(chance, 6)
        at = chance.randint(1, 8)
        cut = " ".join(f"{word[:at]} {word[at:]}" for word in words)
        return chance.choice(("".join(words), "-".join(words), "·".join(words), "_".join(words), "'".join(words), cut))

    # What is, or looks like, the query language

    def _operators(self, chance: random.Random) -> str:
        return " ".join(self._operated(chance) for _ in range(1 + int(12 * chance.random() ** 2)))

    def _operated(self, chance: random.Random) -> str:
        word, other = self._word(chance), self._word(chance)
        field, value = chance.choice(_FIELDS), chance.choice((*_VALUES, word))
        return chance.choice((
            word, f'"{word} {other}"', f"-{word}", f'-"{word} {other}"', f"{word} OR {other}", f"{word[:3]}*",
            f"{field}:{value}", f'{field}:"{value}"', f"-{field}:{value}", f"title:{word}*", f'title:"{word} {other}"',
            f"{field}:{value} OR {field}:{chance.choice(_VALUES)}", f'"{word}" OR -{other}',
        ))  # fmt: skip

    def _broken(self, chance: random.Random) -> str:
        """The signs of the language in any order, with or without words between them."""
        signs = ['"', "-", "*", ":", "OR", " OR ", " ", " ", "--", '""', "title:", "year:", "(", ")", "~", "^", "+",
                 "|", *_QUOTES]  # fmt: skip
        parts = [self._word(chance) if chance.random() < 0.3 else chance.choice(signs)
                 for _ in range(chance.randint(1, 60))]  # fmt: skip
        return "".join(parts)

    def _nested(self, chance: random.Random) -> str:
        """The same again and again."""
        part = chance.choice((self._operated(chance), '"', "OR ", "-", "title:", "*", '-"', "title:title:", "(", "\\"))
        return part * chance.choice((2, 10, 100, 400))

    def _phrases(self, chance: random.Random) -> str:
        """Phrases, long ones and ones of the most frequent words."""
        frequent = ["de", "in", "und", "der", "si", "za", "projekt", "the", "of", "i", "a"]
        source = chance.choice((frequent, self._words))
        phrases = (
            " ".join(chance.choices(source, k=chance.choice((1, 2, 3, 8, 70)))) for _ in range(chance.randint(1, 6))
        )
        return " ".join(f'{chance.choice(("", "-", "title:"))}"{phrase}"' for phrase in phrases)

    def _beginnings(self, chance: random.Random) -> str:
        """Beginnings, of which the shortest stand for thousands of words."""
        begins = ["*", "**", "a*", "re*", "s*", "pro*", "in*", "ma*", "1*", "20*", "ß*", "ﬁ*", "É*", "-re*", '"re*"',
                  "*re", "r*e", "re**", "title:re*", f"{self._word(chance)}*"]  # fmt: skip
        if chance.random() < 0.2:
            begins = [f"{self._word(chance)[:2]}*" for _ in range(80)]
            return " ".join(begins)
        return chance.choice((" ", " OR ")).join(chance.choices(begins, k=1 + int(20 * chance.random() ** 2)))

    # Characters

    def _alphabets(self, chance: random.Random) -> str:
        words = []
        for _ in range(chance.randint(1, 12)):
            first, last = chance.choice(_SCRIPTS)
            words.append("".join(chr(chance.randint(first, last)) for _ in range(chance.randint(1, 20))))
        return " ".join([*words, *chance.choices(_WIDE, k=chance.randint(0, 5))])

    def _marks(self, chance: random.Random) -> str:
        """Words under heaps of combining marks, among emoji and joiners."""
        parts = []
        for word in self._several(chance, 5):
            heap = "".join(chr(chance.randint(0x300, 0x36F)) for _ in range(chance.choice((1, 3, 60))))
            parts.append(chance.choice((word[:2] + heap + word[2:], heap, heap + word, chance.choice(_EMOJI), word)))
        return chance.choice((" ", "", "\u200d")).join(parts)

    def _controls(self, chance: random.Random) -> str:
        return _sprinkled(chance, " ".join(self._several(chance, 8)), [*_CONTROLS, *_INVISIBLE])

    def _surrogates(self, chance: random.Random) -> str:
        lone = [chr(chance.randint(0xD800, 0xDFFF)) for _ in range(4)]
        return _sprinkled(chance, " ".join(self._several(chance, 4)), [*lone, "\ufffd", "\uffff", "\U0010ffff"])

    def _spaces(self, chance: random.Random) -> str:
        return "".join(word + "".join(chance.choices(_SPACES, k=3)) for word in self._several(chance, 12))

    # Lengths

    def _long(self, chance: random.Random) -> str:
        """Words of up to 5,000 characters, and of just more and less than what counts."""
        length = chance.choice((63, 64, 65, 128, 999, 1000, 1001, LONG, LONG))
        letter, word = chance.choice('aeé1ß中ﷺ\u0301-*"'), self._word(chance)
        body = chance.choice((letter * length, (word * length)[:length], _of(chance, "abcdefghij", length),
                              _of(chance, "na", length), (f"{word[:3]}-" * length)[:length]))  # fmt: skip
        before = chance.choice(("", "", "title:", "-", '"', f"{word} "))
        return before + body + chance.choice(("", "", "*", '"', f" {word}"))

    def _short(self, chance: random.Random) -> str:
        """A thousand short words, or as many as a question may have."""
        count = chance.choice((100, 250, 333, 500, 1000))
        letters = chance.choice(("abc", "aeiounrst", "abcdefghijklmnopqrstuvwxyz", "0123456789", "αβγ", "абв"))
        size = chance.choice((1, 1, 2, 3, 4))
        between = chance.choice((" ", " ", " OR ", " -", "* ", "-", "/"))
        if chance.random() < 0.3:
            return between.join(word[:6] for word in chance.choices(self._words, k=count))
        return between.join(_of(chance, letters, size) for _ in range(count))

    # The rest

    def _injections(self, chance: random.Random) -> str:
        parts = [*chance.choices(_INJECTIONS, k=chance.randint(1, 3)), *self._several(chance, 2)]
        chance.shuffle(parts)
        return " ".join(parts)

    def _mixed(self, chance: random.Random) -> str:
        """Parts of questions of other kinds."""
        others = [make for kind, make in self._kinds.items() if kind != "mixed"]
        parts = [make(chance) for make in chance.choices(others, k=chance.randint(2, 5))]
        return " ".join(part[start : start + chance.randint(1, 120)] for part in parts
                        for start in [chance.randint(0, max(0, len(part) - 1))])  # fmt: skip

    def _beside(self, chance: random.Random) -> list[tuple[str, str]]:
        """Filters, orders and pages, most of them such as there are; now and then hundreds."""
        if chance.random() < 0.03:
            name = chance.choice(("country", "region", "drop"))
            return [(name, self._value(chance, name)) for _ in range(chance.choice((30, 100, 300)))]
        return [(name, self._value(chance, name)) for name in chance.choices(_BESIDE, k=chance.randint(1, 4))]

    def _value(self, chance: random.Random, name: str) -> str:
        if chance.random() < 0.05:
            return chance.choice((*_INJECTIONS, *_VALUES, "\x00", "9" * 400, "\ud800"))
        return chance.choice(self._known[name])


def _known(vocabulary: Vocabulary) -> Mapping[str, Sequence[str]]:
    """Return for each parameter but the question some values that it takes."""
    countries, regions = list(vocabulary.european), list(vocabulary.regions)
    return {
        **{name: tuple(map(str, values)) for name, values in CHOICES.items()},
        "country": countries,
        "region": [*regions, "DED", "DEG0", "HR04"],
        "theme": list(vocabulary.themes),
        "target_group": list(vocabulary.target_groups),
        "drop": [*(f"country:{code}" for code in countries), *(f"theme:{slug}" for slug in vocabulary.themes)],
        "sort": SORTS,
        "page": ("1", "2", "3", "7", "1000", "100000"),
        "per_page": ("1", "20", "100"),
        "year_from": ("1999", "2010", "2014"),
        "year_to": ("2015", "2020", "9999"),
    }


def _mistyped(chance: random.Random, word: str) -> str:
    for _ in range(chance.randint(0, 3)):
        at = chance.randrange(len(word) or 1)
        letter = chance.choice("aeiounrstlžščéüœ")
        word = chance.choice((
            word[:at] + word[at + 1 :], word[:at] + letter + word[at:], word[:at] + letter + word[at + 1 :],
            word[:at] + word[at + 1 : at + 2] + word[at : at + 1] + word[at + 2 :],
        ))  # fmt: skip
    return word


def _unicode(chance: random.Random) -> str:
    """Characters of all planes, surrogates apart, assigned or not."""
    length = chance.choice((1, 5, 40, 300))
    codes = (chance.choice((chance.randint(0, sys.maxunicode), chance.randint(0, 0xFFFF))) for _ in range(length))
    return "".join(chr(code) for code in codes if not 0xD800 <= code <= 0xDFFF)


def _stop_words(chance: random.Random) -> str:
    words = sorted(STOP_WORDS)
    return " ".join(chance.choice(words) for _ in range(chance.choice((1, 2, 5, 30, 200))))


def _numbers(chance: random.Random) -> str:
    forms = ("%d", "%d", "0%d", "%d,5", "%d.%d", "%d-%d", "%d..%d", "%d/%d", "-%d", "%d%%", "€%d", "year:%d", "%de%d")
    numbers = (form % tuple(chance.choice((chance.randint(0, 3000), chance.getrandbits(90)))
                            for _ in range(form.replace("%%", "").count("%d")))
               for form in chance.choices(forms, k=chance.randint(1, 12)))  # fmt: skip
    return " ".join(numbers)


def _sprinkled(chance: random.Random, text: str, characters: Sequence[str]) -> str:
    for _ in range(chance.randint(1, 20)):
        at = chance.randint(0, len(text))
        text = text[:at] + chance.choice(characters) + text[at:]
    return text


def _of(chance: random.Random, letters: str, length: int) -> str:
    return "".join(chance.choices(letters, k=length))
