"""Which language a text is written in, as far as its letters tell."""

from __future__ import annotations

from functools import lru_cache
from itertools import islice
from threading import Lock

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from kb.search.language import language_of

LEAST_WORDS = 12
"""Words that a text must have to be told: of ten, one text in fifty is taken for another language."""

MOST_WORDS = 300
"""Words of a text that are looked at."""

SURE = 0.99
"""How likely a language must be to be named."""

_asking = Lock()  # the model keeps state while it reads


def guess(text: str, among: tuple[str, ...]) -> str | None:
    """Return the one of some languages that a text is in; None where it is too short, or might be another.

    The model is py3langid's (Lui and Baldwin, langid.py, ACL 2012): about 30 MB, read when it is first asked.
    """
    words = list(islice((word for word in text.split() if any(map(str.isalpha, word))), MOST_WORDS))
    if len(words) < LEAST_WORDS:
        return None
    text = " ".join(words)
    if sum(map(str.isupper, text)) > sum(map(str.islower, text)):
        text = text.lower()  # the model has learnt from sentences: in capitals a language looks like another
    with _asking:
        found, likely = _identifier(among).classify(text)
    return language_of(found) if likely >= SURE else None


@lru_cache(maxsize=1)
def _identifier(among: tuple[str, ...]) -> LanguageIdentifier:
    identifier = LanguageIdentifier.from_pickled_model(MODEL_FILE, norm_probs=True)
    identifier.set_languages(among)
    return identifier
