"""What each column of the tables means, in words: for the codebook, on the site and in every workbook."""

from __future__ import annotations

from kb.formats.text import N_

SCALARS = {
    "id": N_("A number that stays with the practice for ever (UUID)."),
    "slug": N_("The last part of the practice’s address; fixed at its first publication."),
    "title": N_("Title, in the language of the text."),
    "original_title": N_("Title in the local language, where that is another one."),
    "language": N_("Language of the text, as a code (BCP 47)."),
    "summary": N_("What it is, in a hundred words at most."),
    "translations": N_("Title and summary in other languages."),
    "country": N_("Country, as a code of two letters (ISO 3166-1)."),
    "region_code": N_("Code of the region (NUTS 2024; a code that begins with “x-” where NUTS has none)."),
    "region_name": N_("Name of the region."),
    "other_regions": N_("Other regions that take part, where it crosses a border."),
    "place": N_("Town, county or area, as people there call it."),
    "level": N_("Where it works: local, regional, cross-border, national."),
    "authority_role": N_(
        "What the regional authority does in it: leader, coordinator, partner, funder, supporter, adviser."
    ),
    "lead_organisation_name": N_("Who runs it."),
    "lead_organisation_type": N_(
        "Kind of organisation: regional-authority, local-authority, agency, ngo, university, business, other."
    ),
    "lead_organisation_url": N_("Web address of who runs it."),
    "partners": N_("Organisations that take part."),
    "start": N_("When it began: a year, or a year and a month (2016, 2016-05)."),
    "end": N_("When it ended, written as the start is. Empty where it goes on, or where nobody said."),
    "status": N_("How it stands: planned, pilot, running, mainstreamed, ended, discontinued."),
    "context": N_("Why it was needed."),
    "objectives": N_("What it wanted."),
    "actions": N_("What was done."),
    "results": N_("What came of it."),
    "difficulties": N_("What was difficult; of a discontinued practice, why it stopped."),
    "lessons": N_("What was learnt."),
    "transferability": N_("What another region needs, and what it would change."),
    "evidence": N_(
        "How the results are known, weakest first: none, monitoring, self-evaluation, external-evaluation, "
        "counterfactual. “none” says that no evaluation was made; an empty cell says that nobody reported one."
    ),
    "indicators": N_("Figures that were measured."),
    "beneficiaries": N_(
        "People reached: one headline figure. The results say what it counts; do not add up across practices."
    ),
    "budget_eur": N_(
        "Budget in euro: one headline figure. The results say what it covers; do not add up across practices."
    ),
    "budget_year": N_("Year that the budget is of."),
    "funding": N_("Where the money comes from."),
    "themes": N_("Themes, the main one first, as slugs of the vocabulary of themes."),
    "target_groups": N_("Whom it is for, as slugs of the vocabulary of target groups."),
    "links": N_("Where to read on."),
    "sources": N_("What the record was written from."),
    "images": N_("Pictures."),
    "attachments": N_("Documents."),
    "licence": N_("Licence of the text."),
    "attribution": N_("Whom to credit."),
    "origin_kind": N_("How the record came in: seed, member, import, harvest."),
    "origin_url": N_("Where it came from, if it was taken over from elsewhere."),
    "editor_note": N_("A remark of the editors."),
    "adapted_from": N_("Practices that it was adapted from."),
    "last_verified": N_("Day on which somebody last said that it is still correct."),
    "review_due": N_("Day from which somebody should look at it again."),
    "version": N_("Number of the public version; each has an address of its own."),
    "published": N_("Moment of the first publication (UTC)."),
    "updated": N_("Moment of the last change (UTC)."),
    "completeness": N_("Share of the recommended fields that are filled in, from 0 to 1."),
    "url": N_("Address of the practice’s page."),
}
"""The columns of the flat table, in the order of the record's keys; a group has a column a field."""

_TITLE = N_("Title.")
_URL = N_("Web address.")
_FILE = {
    "title": _TITLE,
    "url": _URL,
    "media_type": N_("Kind of file (media type)."),
    "bytes": N_("Size in bytes."),
    "sha256": N_("Checksum of the file (SHA-256)."),
}
_LINK = {"title": _TITLE, "url": _URL}

LISTS: dict[str, dict[str, str]] = {
    "translations": {
        "language": N_("Language, as a code (BCP 47)."),
        "title": N_("Title in that language."),
        "summary": N_("Summary in that language."),
        "machine": N_("Whether a machine translated it: true or false."),
    },
    "other_regions": {
        "country": N_("Country, as a code of two letters (ISO 3166-1)."),
        "code": N_("Code of the region; empty where the whole country is meant."),
        "name": N_("Name of the region."),
    },
    "partners": {
        "name": N_("Name."),
        "type": N_("Kind of organisation, as for who runs it."),
        "url": _URL,
    },
    "indicators": {
        "name": N_("What was measured."),
        "baseline": N_("Value before."),
        "value": N_("Value reached."),
        "unit": N_("Unit."),
        "year": N_("Year of the value."),
        "url": N_("Where the figure is published."),
    },
    "funding": {
        "source": N_("AMIF, ESF, ERDF, Interreg, Erasmus, other-eu, national, regional, local, private, other."),
        "amount_eur": N_("Amount in euro."),
        "note": N_("Remark."),
    },
    "links": _LINK,
    "sources": _LINK,
    "images": {**_FILE, "alt": N_("What the picture shows, in words."), "credit": N_("Who took it.")},
    "attachments": _FILE,
    "adapted_from": {
        "slug": N_("Slug of the practice that it was adapted from."),
        "changes": N_("What was changed."),
    },
}
"""The fields of an entry of each list."""
