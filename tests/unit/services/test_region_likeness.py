"""Regions like mine: common sense first, written down before there was a method."""

from __future__ import annotations

import pytest

from kb.services.vocabularies import Vocabulary

TRIPLES = [
    ("IE041", "UKM63", "DE300", "Donegal's coast, hills and few people are those of Argyll and Lochaber, not Berlin's"),
    ("IE041", "ES11", "AT13", "Galicia is Donegal with more sun: rural, Atlantic, next to a border; Vienna is a city"),
    ("ES22", "ES24", "EL30", "Aragon is next door, has the same Pyrenees and the same border; Attica is Athens"),
    ("ES22", "ITH2", "EL30", "Trentino is a mountain province with powers and towns of its own; Attica is a capital"),
    ("ES22", "ITH1", "ES30", "type beats country: South Tyrol has mountains and a border, Madrid is a capital"),
    ("DE30", "AT13", "DE40", "capitals have the questions of capitals; Brandenburg is the country around one"),
    ("ITG2", "FRM0", "ITC4", "Sardinia and Corsica are islands that look at each other; Lombardy is Milan"),
    ("AT33", "ITH1", "AT13", "Tyrol is one land on two sides of a border; Vienna is the same country and a city"),
    ("AT33", "AT34", "ES24", "of two rural mountain border regions the one in the same country is nearer"),
    ("PT20", "ES70", "PT1A", "the Azores and the Canaries are islands far out in the Atlantic; Lisbon is a capital"),
]
"""(A, B, C, why): for region A, B is nearer than C. The method follows these, not the other way round."""


@pytest.mark.parametrize(("region", "near", "far", "_why"), TRIPLES)
def test_the_regions_of_the_triples_are_in_the_list(
    vocabulary: Vocabulary, region: str, near: str, far: str, _why: str
) -> None:
    assert {region, near, far} <= set(vocabulary.regions)
