"""The catalogues of the pages' words: complete, and with every gap, tag and form that the texts have."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from kb.config import LANGUAGES
from kb.web import catalogues
from scripts import messages

TRANSLATED = [language for language in LANGUAGES if language != catalogues.SOURCE]

GAP = re.compile(r"%\(\w+\)[sd]|%%|\{\w+\}")
TAG = re.compile(r"</?[a-z][^>]*>")


@pytest.fixture(scope="module")
def texts() -> Catalog:
    return messages.source()


def keys(catalogue: Catalog) -> set[Any]:
    return {(each.context, each.id) for each in catalogue if each.id}


def forms(text: Message) -> tuple[str, ...]:
    return text.string if isinstance(text.string, tuple) else (text.string,)


def said(text: Message) -> list[str]:
    """The forms that are translated; those that are not, a test of its own names."""
    return [form for form in forms(text) if form] if text.id else []


def words(text: Message) -> str:
    """What is to be translated: of two forms the one that names the number."""
    return text.id[-1] if isinstance(text.id, tuple) else text.id


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_holds_every_text_and_no_other(language: str, texts: Catalog) -> None:
    held = keys(messages.held(language))
    assert held == keys(texts), "run `python -m scripts.messages` and translate what is new"


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_text_is_translated_in_all_its_forms_and_none_is_fuzzy(language: str) -> None:
    lacking = [each.id for each in messages.held(language) if each.id and (each.fuzzy or not all(forms(each)))]
    assert lacking == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_has_the_gaps_of_its_text(language: str) -> None:
    wrong = []
    for each in filter(lambda text: text.id, messages.held(language)):
        for place, form in enumerate(forms(each)):
            asked, given = Counter(GAP.findall(words(each))), Counter(GAP.findall(form))
            told = asked - Counter(["%(num)d"])
            in_a_word = len(forms(each)) > 1 and for_one_number(language, place)
            if form and not (given == asked or (in_a_word and given == told)):
                wrong.append((each.id, form))
            form % Named() if each.python_format else form
    assert wrong == []


def for_one_number(language: str, place: int) -> bool:
    """Whether a plural form is used of one number alone, so that it may say it in a word."""
    catalogue = catalogues.catalogue(language)
    numbers = {n for n in range(1001) if catalogue.plural(n) == place}
    return len(numbers) == 1 or (language == "fr" and numbers == {0, 1})  # French counts none as one


def test_only_a_form_for_one_number_may_leave_the_number_out() -> None:
    assert for_one_number("de", 0) and for_one_number("fr", 0) and for_one_number("ga", 1)
    assert not any(for_one_number(language, 1) for language in ("de", "fr", "pl", "ro"))


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_has_the_tags_of_its_text(language: str) -> None:
    wrong = [
        (each.id, form)
        for each in messages.held(language)
        for form in said(each)
        if Counter(TAG.findall(form)) != Counter(TAG.findall(words(each)))
    ]
    assert wrong == []


class Named(dict[str, int]):
    """A value for every gap."""

    def __missing__(self, name: str) -> int:
        return 1


@pytest.mark.parametrize("language", TRANSLATED)
def test_the_plural_rule_gives_each_number_a_form_that_is_there(language: str) -> None:
    catalogue = catalogues.catalogue(language)
    number, _rule = messages.PLURALS[language]
    assert {catalogue.plural(n) for n in range(200)} == set(range(number))


def test_renewing_a_catalogue_in_which_nothing_is_new_changes_no_byte(texts: Catalog, tmp_path: Any) -> None:
    before = catalogues.path("it").read_bytes()
    with (tmp_path / "it.po").open("wb") as file:
        messages.save(file, messages.renewed("it", texts))
    assert (tmp_path / "it.po").read_bytes() == before


def test_a_reworded_text_comes_in_empty_and_the_old_one_goes(texts: Catalog) -> None:
    reworded = Catalog()
    reworded.add("Sign out now", locations=[("kb/x.py", 1)])
    reworded.add("Sign out", locations=[("kb/x.py", 1)])
    made = {each.id: each.string for each in messages.renewed("de", reworded) if each.id}
    assert made == {"Sign out now": "", "Sign out": made["Sign out"]} and made["Sign out"]


def test_a_catalogue_can_be_read_by_others(tmp_path: Any) -> None:
    with catalogues.path("pl").open("rb") as file:
        assert len(read_po(file)) > 2_000
