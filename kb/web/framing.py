"""What surrounds the records of an export or a file: the site, its address, names of terms, where regions lie."""

from __future__ import annotations

from datetime import UTC, datetime

from flask_babel import gettext

from kb.formats.about import About, Document, Point
from kb.services.query import CatalogueQuery
from kb.services.vocabularies import Vocabulary
from kb.web import context, labels, languages, templating
from kb.web.results import chips


def frame(title: str, url: str, made: datetime | None = None) -> About:
    """The frame of an export in the language of the request; `url` is the address of the page that shows the same."""
    config, language, vocabulary = context.config(), languages.chosen(), context.vocabulary()
    return About(
        site=config.site_name,
        base_url=config.base_url,
        title=title,
        url=url,
        made=made or datetime.now(UTC),
        language=language,
        term=lambda facet, value: labels.facet(facet, value, language),
        point=lambda document: point(document, vocabulary),
    )


def of_query(asked: CatalogueQuery, made: datetime | None = None) -> About:
    """The frame of everything that a query finds."""
    return frame(in_words(asked), context.config().base_url + templating.query_url(asked), made)


def in_words(asked: CatalogueQuery) -> str:
    """What is asked for, as a title: the question, then the filters."""
    parts = words(asked)
    if not parts:
        return gettext("All practices")
    return gettext("Practices: %(what)s", what=", ".join(parts))


def words(asked: CatalogueQuery) -> list[str]:
    """The question in quotation marks, then what each filter says."""
    return [f"“{asked.q}”"] * bool(asked.q) + [chip.value for chip in chips(asked)]


def point(document: Document, vocabulary: Vocabulary) -> Point | None:
    """Where a practice's region lies; None where it has none, or where that is not known."""
    region = vocabulary.regions.get(document["region"]["code"]) if document["region"] else None
    if region is None or region.lon is None or region.lat is None:
        return None
    return region.lon, region.lat
