"""Names of regions that a question may hold without meaning a region."""

from __future__ import annotations

import pytest

from kb.search.language import fold
from kb.search.ordinary import ORDINARY


def test_words_are_folded() -> None:
    assert [word for word in ORDINARY if fold(word) != word] == []


@pytest.mark.parametrize(
    "name", ["Border", "Nord-Est", "South-East", "Centro", "Sud", "Mayo", "Como", "Roma", "Nice", "Barnet", "Van"]
)
def test_a_name_that_is_a_word_is_one(name: str) -> None:
    assert fold(name) in ORDINARY


@pytest.mark.parametrize("name", ["Donegal", "Bavaria", "Toscana", "Cork", "Porto", "Łódź", "Madeira", "Skåne", "Wien"])
def test_a_name_that_means_its_place_is_none(name: str) -> None:
    assert fold(name) not in ORDINARY
