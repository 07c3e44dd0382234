"""The vocabularies as concepts with addresses: a theme's is its page, a target group's is its place in its file."""

from __future__ import annotations

from collections.abc import Mapping

from kb.formats.skos import Concept, Merged, Scheme
from kb.services.errors import N_
from kb.services.terms import THEMES, Kind
from kb.services.vocabularies import Vocabulary

TITLES = {"theme": N_("Themes of integration practices"), "target_group": N_("Target groups of integration practices")}
MEANINGS = {
    "theme": N_("The subjects that practices are filed by."),
    "target_group": N_("The people whom practices are for."),
}

ENGLISH = "en"


def address(kind: Kind, base_url: str) -> str:
    """The address of a vocabulary, which is that of its file."""
    return f"{base_url}/vocabularies/{kind.path}.ttl"


def scheme(
    kind: Kind,
    vocabulary: Vocabulary,
    base_url: str,
    publisher: str,
    titles: Mapping[str, str] | None = None,
    meanings: Mapping[str, str] | None = None,
) -> Scheme:
    """A vocabulary with all its terms, and those that were merged; its title and what it is, in English by default."""
    terms = vocabulary.themes if kind is THEMES else vocabulary.target_groups
    place = f"{base_url}/themes/" if kind is THEMES else f"{address(kind, base_url)}#"
    return Scheme(
        address=address(kind, base_url),
        titles=titles or {ENGLISH: TITLES[kind.name]},
        descriptions=meanings or {ENGLISH: MEANINGS[kind.name]},
        publisher=publisher,
        agent=f"{base_url}/catalog.ttl#publisher",
        concepts=[
            Concept(
                f"{place}{term.slug}", term.slug, {**term.labels, ENGLISH: term.label}, term.synonyms, term.scope_note,
                term.mappings,
            )
            for term in terms.values()
        ],
        merged=[
            Merged(f"{place}{old}", old, f"{place}{new}")
            for old, new in sorted(vocabulary.term_successors.get(kind.key, {}).items())
        ],
    )  # fmt: skip
