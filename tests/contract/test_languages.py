"""Texts of all the languages of Europe in one index, asked for in other forms, spellings and accents than theirs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from kb.search.language import STEMMERS, fold, language_of, spans
from kb.search.port import Page, SearchEngine
from kb.services.checking import LANGUAGES
from tests.contract.asking import ask, doc, found, ids
from tests.contract.conftest import MAKERS
from tests.contract.sentences import COMPOUNDS, FOLDED, INFLECTED, RIGHTS, SAME, UMLAUTS, Sentence

ALL = [*INFLECTED, *FOLDED]


@pytest.fixture(scope="module", params=list(MAKERS))
def europe(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchEngine]:
    """An engine with all the sentences. Only read it."""
    engine = MAKERS[request.param](tmp_path_factory.mktemp("europe"))
    engine.rebuild(doc(sentence.text, "x", summary=sentence.text, language=sentence.language) for sentence in ALL)
    yield engine
    engine.close()


def answered(page: Page, slug: str) -> bool:
    """Whether a document answers in full and is the first."""
    return not page.partial and page.total >= 1 and ids(page)[0] == slug


def named(sentence: Sentence) -> str:
    return f"{sentence.language}-{sentence.plain.split()[0]}"


def test_every_language_with_a_stemmer_is_asked_in() -> None:
    assert {sentence.language for sentence in INFLECTED} == set(STEMMERS)


def test_every_other_language_of_practices_is_asked_in() -> None:
    assert {sentence.language for sentence in FOLDED} == set(map(language_of, LANGUAGES)) - set(STEMMERS)


@pytest.mark.parametrize("sentence", INFLECTED, ids=named)
def test_the_question_has_other_forms_than_the_text(sentence: Sentence) -> None:
    text = folds(sentence.text)
    assert not folds(sentence.question) <= text and not folds(sentence.plain) <= text


def folds(text: str) -> set[str]:
    return {fold(text[start:end]) for start, end in spans(text)}


@pytest.mark.parametrize("sentence", ALL, ids=named)
def test_a_text_is_first_for_its_words_in_another_form(europe: SearchEngine, sentence: Sentence) -> None:
    assert answered(europe.search(ask(sentence.question)), sentence.text)


@pytest.mark.parametrize("sentence", ALL, ids=named)
def test_accents_need_not_be_typed(europe: SearchEngine, sentence: Sentence) -> None:
    assert answered(europe.search(ask(sentence.plain)), sentence.text)


@pytest.mark.parametrize("sentence", ALL, ids=named)
def test_capitals_do_not_matter(europe: SearchEngine, sentence: Sentence) -> None:
    assert answered(europe.search(ask(sentence.question.upper())), sentence.text)


@pytest.mark.parametrize("sentence", INFLECTED, ids=named)
def test_each_other_form_is_marked(europe: SearchEngine, sentence: Sentence) -> None:
    marked = europe.mark(sentence.text, ask(sentence.question).question, sentence.language)
    assert marked.count("<mark>") >= len(sentence.question.split())


@pytest.mark.parametrize(("title", "question"), SAME)
def test_another_spelling_of_the_same_words_finds_them(engine: SearchEngine, title: str, question: str) -> None:
    engine.update([doc(language, title, language=language) for language in ("en", "de", "tr", "hr")])
    assert found(engine, question) == {"en", "de", "tr", "hr"}


@pytest.mark.parametrize(("language", "title", "question"), COMPOUNDS)
def test_a_compound_is_found_joined_and_apart(engine: SearchEngine, language: str, title: str, question: str) -> None:
    engine.update([doc("a", title, language=language), doc("b", "other", language=language)])
    page = engine.search(ask(question))
    assert (ids(page), page.partial) == (["a"], False)


@pytest.mark.parametrize(("language", "title", "question"), UMLAUTS)
def test_umlauts_may_be_typed_as_two_letters(engine: SearchEngine, language: str, title: str, question: str) -> None:
    engine.update([doc("a", title, language=language), doc("b", "other", language=language)])
    page = engine.search(ask(question))
    assert (ids(page), page.partial) == (["a"], False)


def test_a_word_with_both_letters_is_still_itself(engine: SearchEngine) -> None:
    engine.update([doc("a", "Neue Steuer", language="de"), doc("b", "Blue values", language="en")])
    assert found(engine, "neue steuer") == {"a"}
    assert found(engine, "blue values") == {"b"}


@pytest.fixture(scope="module", params=list(MAKERS))
def declarations(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchEngine]:
    """An engine with the articles of the Universal Declaration of Human Rights in 31 languages. Only read it."""
    data = os.environ.get("KB_TEST_DATA")
    if not data:
        pytest.skip("KB_TEST_DATA does not name the folder that holds multilingual/")
    engine = MAKERS[request.param](tmp_path_factory.mktemp("declarations"))
    lines = (Path(data) / "multilingual" / "udhr.jsonl").read_text(encoding="utf-8").splitlines()
    articles = map(json.loads, lines)
    engine.rebuild(
        doc(f"{each['lang']}-{each['article']}", each["title"], summary=each["text"], language=each["lang"])
        for each in articles
    )
    yield engine
    engine.close()


@pytest.mark.parametrize(("language", "article", "question"), RIGHTS)
def test_an_article_is_first_of_930_for_its_words_in_another_form(
    declarations: SearchEngine, language: str, article: int, question: str
) -> None:
    assert answered(declarations.search(ask(question)), f"{language}-{article}")
