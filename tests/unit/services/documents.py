"""Hypothesis strategies for documents that may be published: every optional field empty or filled, any text."""

from __future__ import annotations

from datetime import date
from typing import Any

from hypothesis import strategies as st

from kb.models import AuthorityRole, Evidence, FundingSource, Level, OrganisationType, Status
from kb.services.checking import IMAGE_TYPES, LANGUAGES, LICENCES
from kb.services.record import tidy, words

Strategy = st.SearchStrategy[Any]


def text(most: int = 60, least: int = 1) -> Strategy:
    """Any text that is still there when blanks and control characters are gone."""
    characters = st.characters(exclude_categories=["Cs"])
    return st.text(characters, min_size=least, max_size=most).filter(lambda t: least <= len(tidy(t) or "") <= most)


def maybe(strategy: Strategy) -> Strategy:
    """Nothing, or something."""
    return st.none() | strategy


def some(strategy: Strategy, most: int = 3) -> Strategy:
    """A list that may be empty."""
    return st.lists(strategy, max_size=most)


URLS = st.sampled_from(["https://example.org/", "http://münchen.example/ä?q=1&r=“2”#x", "https://[2001:db8::1]:8080/"])
YEARS = st.integers(1900, 2100)
MONEY = st.integers(0, 10**12 - 1) | st.decimals(0, 10**9, places=2).map(float)
DAYS = st.dates(date(1970, 1, 1), date(2100, 12, 31)).map(str)
ORGANISATION = st.fixed_dictionaries({"name": text(), "type": maybe(st.sampled_from(list(OrganisationType))),
                                      "url": maybe(URLS)})  # fmt: skip
LINK = st.fixed_dictionaries({"title": maybe(text()), "url": URLS})
IMAGE = st.fixed_dictionaries({"title": maybe(text()), "url": URLS,
                               "media_type": maybe(st.sampled_from(IMAGE_TYPES)), "bytes": maybe(st.integers(0, 10**7)),
                               "sha256": st.none(),
                               "alt": text(), "credit": maybe(text())})  # fmt: skip
LONG = maybe(text(200))

DOCUMENTS = st.fixed_dictionaries(
    {
        "title": text(100, least=3),
        "original_title": maybe(text(200)),
        "language": st.sampled_from(LANGUAGES),
        "summary": text(200).filter(lambda t: words(t) <= 100),
        "translations": some(st.fixed_dictionaries({"language": st.sampled_from(LANGUAGES), "title": text(),
                                                    "summary": LONG, "machine": st.booleans()})),
        "country": st.none(),
        "region": st.sampled_from(["ITH5", "IE041", "EL30", "x-gb-wales", "UKI"]),
        "other_regions": some(st.sampled_from([{"country": "AT"}, {"code": "SI03"}, {"country": "EL", "code": "EL3"}])),
        "place": maybe(text(100)),
        "level": st.sampled_from(list(Level)),
        "authority_role": maybe(st.sampled_from(list(AuthorityRole))),
        "lead_organisation": ORGANISATION,
        "partners": some(ORGANISATION),
        "start": maybe(st.sampled_from(["1999", "2015-12"])),
        "end": maybe(st.sampled_from(["2016", "2016-02"])),
        "status": st.sampled_from(list(Status)),
        "actions": text(200),
        "context": LONG, "objectives": LONG, "results": LONG, "difficulties": LONG, "lessons": LONG,
        "transferability": LONG,
        "evidence": maybe(st.sampled_from(list(Evidence))),
        "indicators": some(st.fixed_dictionaries({"name": text(), "baseline": maybe(text(9)), "value": maybe(text(9)),
                                                  "unit": maybe(text(9)), "year": maybe(YEARS), "url": maybe(URLS)})),
        "beneficiaries": maybe(st.integers(0, 10**9)),
        "budget_eur": maybe(MONEY),
        "budget_year": maybe(YEARS),
        "funding": some(st.fixed_dictionaries({"source": st.sampled_from(list(FundingSource)),
                                               "amount_eur": maybe(MONEY), "note": maybe(text())})),
        "themes": st.lists(st.sampled_from(["housing", "labour-inclusion", "education-and-youth"]), min_size=1,
                           unique=True),
        "target_groups": st.lists(st.sampled_from(["refugees", "children-and-youth"]), min_size=1, unique=True),
        "links": some(LINK),
        "sources": st.lists(LINK, min_size=1, max_size=3),
        "images": some(IMAGE, 1),
        "attachments": st.just([]),
        "licence": maybe(st.sampled_from(LICENCES)),
        "attribution": maybe(text()),
        "editor_note": LONG,
        "adapted_from": some(st.fixed_dictionaries({"slug": text(20), "changes": maybe(text())})),
        "last_verified": maybe(DAYS),
        "review_due": maybe(DAYS),
    }
)  # fmt: skip
