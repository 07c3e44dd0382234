"""Words: how a text is cut into them, folded, stemmed by its language, and which of them carry no meaning.

Two words are the same where their folds are equal (no case, no accents, plain letters), and kin where the stemmer of
the language of the text gives them the same stem. A stemmer is asked twice, with the word as written and with its fold,
because most of them expect accents and most people leave them out.
"""

from __future__ import annotations

import re
import sys
import threading
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple, Protocol, cast

import snowballstemmer

LONGEST_WORD = 64
"""Characters of a word that count; what follows them is cut off, in texts and queries alike."""

STEMMERS = {
    "ca": "catalan",
    "cs": "czech",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "et": "estonian",
    "eu": "basque",
    "fi": "finnish",
    "fr": "french",
    "ga": "irish",
    "hu": "hungarian",
    "it": "italian",
    "lt": "lithuanian",
    "nb": "norwegian",
    "nl": "dutch",
    "pl": "polish",
    "pt": "portuguese",
    "ro": "romanian",
    "sr": "serbian",
    "sv": "swedish",
    "tr": "turkish",
}
"""Languages of practices and Snowball 3.1's name for their stemmer. It has none for bg gl hr is lv mt sk sl uk."""

_SAME_AS = {"no": "nb", "nn": "nb"}

# Elsewhere endings follow each other, and a stemmer that took off one leaves another: Swedish marknaden has the stem
# marknad, but marknad has markn. In these, further letters are seldom an ending: German Sicherung is not sich.
_STEMMED_ONCE = frozenset(("ca", "de", "en", "es", "fr", "it", "pt"))
_LEAST_DEEPER = 4  # letters of what a second stemming has to leave

# Here a stem may begin with another letter than its word: Irish bhfear and fear, Dutch geschreven and schrijf, Serbian
# in either script, Turkish d that becomes t.
_OTHER_BEGINNINGS = frozenset(("ga", "nl", "sr", "tr"))

# How ä ö ø ü å are typed where there is no key for them; their folds are the first letters, but that of æ is ae.
_UMLAUTS = dict.fromkeys(("de", "et", "fi", "hu", "sv"), re.compile("ae|oe|ue|aa"))
_UMLAUTS |= dict.fromkeys(("da", "nb"), re.compile("oe|ue|aa"))

# Letters that are one with a plain letter to a reader, but that Unicode does not take apart.
_PLAIN = str.maketrans(
    {"ß": "ss", "ł": "l", "ø": "o", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th", "ı": "i", "ħ": "h", "ŧ": "t"}
    | {"ŋ": "n", "ĸ": "k", "ſ": "s"}
)


def _combining() -> str:
    """Return what belongs to the word before it, as a class of `re`: marks, the soft hyphen, joiners."""
    blocks = (range(0x0300, 0x3100), range(0xFE00, 0xFE30))
    marks = [c for block in blocks for c in map(chr, block) if unicodedata.category(c).startswith("M")]
    return "".join([*marks, "\u00ad", "\u200c", "\u200d", "\u2060"])


COMBINING = _combining()
"""Marks that belong to the letter before them, and invisible joiners, as they stand in a class of `re`."""

# Catalan writes a long l as l·l, inside a word. The alternatives exclude each other and nothing follows them, so that
# matching is linear. No possessive `*+`: with it Python 3.11.2, Debian 12's, never ends and eats all memory.
_WORD = re.compile(rf"[^\W_](?:[^\W_]+|[{COMBINING}]+|(?<=[lL])[·•‧](?=[lL]))*")

WITHIN_WORDS = COMBINING + "·•‧"
"""Characters that are no letters and may stand in a word: without them, words are letters and digits in a row."""

# A word here must be empty of meaning in its own language and no likely search word in another (so no German "war", no
# Romanian "care", and not the place Como). Letters alone are what an apostrophe leaves behind.
_STOP_WORDS = {
    "en": "a an and are as at be been by for from has have how in is it its of on or that the their these they this"
    " those to was we were what when where which who whose why with can could do does did our you your i my should"
    " would there than then not about into such",
    "it": "il lo i gli le un uno una di da e ed con per tra fra che del dello della dei degli delle al allo alla ai"
    " agli alle dal dalla nel nella nei nelle sul sulla sui si sono possiamo nostro nostra nostri nostre perché non più"
    " anche",
    "es": "el la los las un unos unas de y o u con por para que se su sus lo en es podemos nuestro nuestra nuestros"
    " nuestras cuando donde",
    "ca": "els les uns unes d dels als i amb per que és seva seu seus podem nostre nostra",
    "de": "der die das dem des ein eine einer eines einem einen und oder im zu zum zur für mit von vom auf bei am als"
    " ist sind wie wir können unser unsere unserer unseren nicht auch an aus nach über um ob fuer ueber",
    "fr": "l le la les une des du au aux à et ou dans par pour qui ce cette ces est avec nous vous pouvons notre nos"
    " ne pas il elle ils elles y on",
    "pl": "w we z ze na do dla od oraz przez się jest są i jak czy to nie możemy nasz nasze naszym naszej po przy",
    "nl": "de het een en van voor met op te aan bij om zijn is wij ons onze hoe kunnen naar",
    "pt": "os as um uma dos das no na nos nas ao aos com são em nosso nossa podemos",
    "sv": "och att det som en ett av för på är till den med hur vi kan vår våra",
    "da": "og at det som en et af for på er til den med hvordan vi kan vores",
    "ro": "și si în din cu pe pentru al ale ai sau ce",
    "ga": "na ag ar le ó do agus san sa",
    "elided": "c d j l m n qu s t",
}


class Word(NamedTuple):
    """A word of a text: which one it is, from where to where (characters), its fold, its stems if any."""

    position: int
    start: int
    end: int
    folded: str
    stems: tuple[str, ...]


class _Stemmer(Protocol):
    def stemWord(self, word: str) -> str: ...


def fold(word: str) -> str:
    """Return a word without case, accents and ligatures, letters and digits only: `Línia` is `linia`, `Łódź` `lodz`."""
    if word.isascii() and word.isalnum():
        return word[:LONGEST_WORD].lower()
    plain = unicodedata.normalize("NFKD", word[: 4 * LONGEST_WORD]).casefold()
    plain = unicodedata.normalize("NFKD", plain).translate(_PLAIN)
    return "".join(filter(str.isalnum, plain))[:LONGEST_WORD]


def language_of(tag: str) -> str:
    """Return the language of a BCP 47 tag as texts are stemmed by: `pt-BR` is `pt`, `nn` is `nb`."""
    primary = tag.replace("_", "-").partition("-")[0].lower()
    return _SAME_AS.get(primary, primary)


def spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield from where to where the words of a text go. An apostrophe and a hyphen part words. Linear in time."""
    for match in _WORD.finditer(text):
        yield match.span()


def words(text: str) -> list[str]:
    """Return the words of a text as they are written, those of `spans`, of whatever length."""
    return _WORD.findall(text)


def analyse(text: str, language: str) -> Iterator[Word]:
    """Yield the words of a text, analysed by its language (a BCP 47 tag; an unknown one means folding only)."""
    code = language_of(language)
    for position, (start, end) in enumerate(spans(text)):
        word = text[start : min(end, start + LONGEST_WORD)]
        yield Word(position, start, end, *forms(word, code))


@lru_cache(maxsize=1 << 16)
def forms(word: str, language: str) -> tuple[str, tuple[str, ...]]:
    """Return the fold and the stems of one word in a language as `language_of` names it."""
    folded = sys.intern(fold(word))
    stemmer = _stemmer(language)
    if stemmer is None or not folded:
        return folded, ()
    lower = _lower(word, language)
    written = stemmer.stemWord(lower)
    plain = written if lower == folded else stemmer.stemWord(folded)
    stems = [fold(written), fold(plain)]
    if language not in _STEMMED_ONCE:
        deeper = (fold(stemmer.stemWord(stem)) for stem in (written, plain))
        stems += [stem for stem in deeper if len(stem) >= _LEAST_DEEPER]
    return folded, tuple(sys.intern(stem) for stem in dict.fromkeys(stems) if stem)


def asked_stems(word: str, language: str) -> tuple[str, ...]:
    """Return the stems by which a word of a query is kin to words of a text in this language.

    The word itself is one: typed without accents it is often the stem of a word with them, but has another stem of its
    own (Turkish `gocmen`, of `göçmenler`). In languages with umlauts so are the forms of `without_umlauts`. None
    without a stemmer.
    """
    folded, stems = forms(word, language)
    if not stems:
        return ()
    plain = without_umlauts(folded, language)
    others = (*forms(plain, language)[1], plain) if plain != folded else ()
    return tuple(dict.fromkeys((*stems, folded, *others)))


def first_letters(letters: Iterable[str], language: str) -> frozenset[str]:
    """Return with which letters the folds of words begin whose folds or stems begin with one of `letters`.

    The empty letter stands for any.
    """
    return frozenset(("",)) if language in _OTHER_BEGINNINGS else frozenset(letters)


def without_umlauts(folded: str, language: str) -> str:
    """Return the fold of a word whose umlauts may have been typed as two letters: `thueringen` is `thuringen`."""
    pattern = _UMLAUTS.get(language)
    return pattern.sub(lambda match: match[0][0], folded) if pattern else folded


def compounds(first: str, second: str) -> tuple[str, str]:
    """Return how two words are written as one: side by side, or with the s that German and Nordic languages put in."""
    return first + second, f"{first}s{second}"


def is_stop_word(folded: str) -> bool:
    """Whether a folded word only holds a sentence together, in a language of the pages."""
    return folded in STOP_WORDS


def _lower(word: str, language: str) -> str:
    if language == "tr":
        word = word.replace("İ", "i").replace("I", "ı")
    return unicodedata.normalize("NFC", word[:LONGEST_WORD]).lower()


class _Stemmers(threading.local):
    """The stemmers of one thread: they keep state while they work, so no two threads may share one."""

    def __init__(self) -> None:
        self.by_language: dict[str, _Stemmer] = {}


_stemmers = _Stemmers()


def _stemmer(language: str) -> _Stemmer | None:
    if language not in STEMMERS:
        return None
    if language not in _stemmers.by_language:
        _stemmers.by_language[language] = cast(_Stemmer, snowballstemmer.stemmer(STEMMERS[language]))
    return _stemmers.by_language[language]


STOP_WORDS = frozenset(fold(word) for words in _STOP_WORDS.values() for word in words.split())
"""The folded words that `is_stop_word` knows. They are indexed, for phrases and for queries of nothing else."""
