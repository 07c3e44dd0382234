"""Which language a text is in: told where it can be, and nothing said where it cannot."""

from __future__ import annotations

import pytest

from kb.search.tongues import guess
from kb.services.checking import LANGUAGES

SAID = {
    "en": "Hospitals of the region pair newly arrived nurses with senior colleagues for a year and count the hours.",
    "it": "Gli ospedali della regione affiancano le infermiere appena arrivate a colleghe esperte per un anno intero.",
    "de": "Die Krankenhäuser der Region stellen neuen Pflegekräften ein Jahr lang erfahrene Kollegen zur Seite.",
    "ca": "Els hospitals de la regió aparellen les infermeres acabades d’arribar amb companyes expertes durant un any.",
    "ga": "Cuireann ospidéil an réigiúin altraí nua i dteagmháil le comhghleacaithe sinsearacha ar feadh bliana.",
    "ro": "Spitalele din regiune îi pun pe asistenții nou-veniți alături de colegi cu experiență timp de un an întreg.",
}  # fmt: skip


@pytest.mark.parametrize("language", SAID)
def test_a_sentence_is_told(language: str) -> None:
    assert guess(SAID[language], LANGUAGES) == language


def test_capitals_do_not_hide_a_language() -> None:
    assert guess(SAID["it"].upper(), LANGUAGES) == "it"


@pytest.mark.parametrize("text", ["", "Mentors for nurses", "2021 2022 " * 20, "— … ! " * 20])
def test_nothing_is_said_of_what_cannot_be_told(text: str) -> None:
    assert guess(text, LANGUAGES) is None


def test_only_languages_that_were_asked_for_are_named() -> None:
    assert guess(SAID["de"], ("en", "it")) in ("en", "it", None)
