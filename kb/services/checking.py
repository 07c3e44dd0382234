"""What a record must be before it is submitted or published. Form, API, import and commands all come through here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from kb.formats import citation
from kb.models import AuthorityRole, Evidence, FundingSource, Level, OrganisationType, Status
from kb.services.errors import N_, Invalid, Label, Problem
from kb.services.record import LABELS, NO_MAIN, Document, shape
from kb.services.values import ValueReader, full_date, is_email, partial_date
from kb.services.vocabularies import COUNTRY_ALIASES, Vocabulary, countries

LANGUAGES = (
    "bg", "ca", "cs", "da", "de", "el", "en", "es", "et", "eu", "fi", "fr", "ga", "gl", "hr", "hu", "is", "it", "lt",
    "lv", "mt", "nb", "nl", "pl", "pt", "ro", "sk", "sl", "sr", "sv", "tr", "uk",
)  # fmt: skip
"""Languages that a record may be written in: the EU's 24 and those of its neighbours and regions."""

LICENCES = tuple(citation.LICENCES)

WORD_LIMITS = {
    "summary": 100, "context": 150, "objectives": 150, "actions": 400, "results": 250, "difficulties": 200,
    "lessons": 200, "transferability": 200, "editor_note": 100,
}  # fmt: skip
"""The longest each text may be, in words; a word counts for at most CHARACTERS_A_WORD."""

CHARACTER_LIMITS = {"title": 100, "original_title": 200, "place": 100}
"""The longest each line may be, in characters."""

CONTACT_LIMITS = {
    "role": (Label(N_("Role")), 200),
    "name": (Label(N_("Name")), 200),
    "email": (Label(N_("E-mail address")), 254),
}
"""What each part of the contact is called, and the longest it may be, in characters."""

IMAGE_TYPES = ("image/jpeg", "image/png", "image/webp")

ATTACHMENT_TYPES = (
    "application/pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.oasis.opendocument.text",
)

SHORTEST_TITLE = 3
MOST_TERMS = 5
MOST_GUESSES = 5
"""Unknown regions of one record for which a similar one is looked for."""

SEED_ATTRIBUTION = N_("compiled from the sources named")

CHOICES: dict[str, type[StrEnum]] = {
    "level": Level,
    "authority_role": AuthorityRole,
    "status": Status,
    "evidence": Evidence,
}
"""Fields whose value is one of a fixed list."""


def check_draft(document: Document) -> None:
    """Check what an API or an import must give to save a draft: a title and a language. Raises Invalid."""
    checker = Checker(document, None)
    checker.title()
    checker.language()
    checker.raise_if_any()


def check(document: Document, vocabulary: Vocabulary) -> Document:
    """Check a document for submission or publication.

    Returns it clean: numbers as numbers, codes canonical, empty entries gone. Raises Invalid with every problem found.
    """
    checker = Checker(document, vocabulary)
    clean = checker.whole()
    checker.raise_if_any()
    return clean


def check_contact(contact: dict[str, Any] | None) -> None:
    """Check the contact that a member must name: role and e-mail address. Raises Invalid."""
    given = {key: str((contact or {}).get(key) or "") for key in CONTACT_LIMITS}
    problems = [
        Problem.of(
            f"contact.{key}", N_("Shorten “%(label)s”: it has %(count)d characters, the limit is %(limit)d."),
            label=label, count=len(given[key]), limit=limit,
        )
        for key, (label, limit) in CONTACT_LIMITS.items()
        if len(given[key]) > limit
    ]  # fmt: skip
    email = given["email"]
    if not given["role"]:
        problems.append(
            Problem.of("contact.role", N_("Say what the contact's role is, for example “project officer”."))
        )
    if not email:
        problems.append(Problem.of("contact.email", N_("Give the contact's e-mail address.")))
    elif len(email) <= CONTACT_LIMITS["email"][1] and not is_email(email):
        problems.append(Problem.of("contact.email", N_("“%(value)s” is not an e-mail address."), value=email))
    if problems:
        raise Invalid(problems)


class Checker(ValueReader):
    """Goes through one document, gathering problems and the clean values."""

    def __init__(self, document: Document, vocabulary: Vocabulary | None) -> None:
        super().__init__(document)
        self.vocabulary = vocabulary
        self._guesses = MOST_GUESSES

    def whole(self) -> Document:
        """Check every field and return the clean document, as far as it could be made."""
        self.document = shape(self.document)
        clean = dict(self.document)
        self.title()
        self.language()
        for key in ("summary", "actions"):
            self._needed(key)
        for key, limit in WORD_LIMITS.items():
            self._within_words(key, limit)
        for key, enum in CHOICES.items():
            self._one_of(key, tuple(enum))
        self._needed("level", N_("Choose at what level it is run."))
        self._needed("status", N_("Choose where it stands now."))
        self._character_limits()
        clean["translations"] = self._translations()
        self._place(clean)
        clean["lead_organisation"] = self._lead_organisation()
        clean["partners"] = [self._organisation(f"partners.{n}", each) for n, each in enumerate(clean["partners"])]
        self._dates()
        self._figures(clean)
        for key in ("themes", "target_groups"):
            clean[key] = self._terms(key)
        for key in ("links", "sources"):
            clean[key] = [self._link(f"{key}.{n}", each) for n, each in enumerate(clean[key])]
        if not clean["sources"]:
            self._wrong("sources", N_("Add at least one source, with its address."))
        self._rights(clean)
        self._files(clean)
        return clean

    def title(self) -> None:
        title = self._text("title")
        if not title:
            self._wrong("title", N_("Give the practice a title."))
        elif len(title) < SHORTEST_TITLE:
            self._wrong(
                "title", N_("Lengthen the title: it needs at least %(least)d characters."), least=SHORTEST_TITLE
            )

    def language(self) -> None:
        language = self._text("language")
        if not language:
            self._wrong("language", N_("Choose the language that the text is written in."))
        elif language not in LANGUAGES:
            self._wrong("language", N_("“%(value)s” is not a language that the base knows."), value=language)

    def _character_limits(self) -> None:
        for key, limit in CHARACTER_LIMITS.items():
            length = len(self._text(key) or "")
            if length > limit:
                self._too_long(key, LABELS[key], length, limit)

    def _place(self, clean: Document) -> None:
        """Country, region and further regions: the country follows from the region where it is left out."""
        country = self._country("country", clean["country"])
        region = clean["region"]
        code = self._region("region", region["code"], country) if region else None
        if code and self.vocabulary:
            its_country = self.vocabulary.regions[code].country
            if country and country != its_country:
                self._wrong(
                    "country", N_("The region %(region)s is not in the country chosen. Change one of the two."),
                    region=f"{self.vocabulary.region_name(code)} ({code})",
                )  # fmt: skip
            country = country or its_country
        if not region and self._text("level") != Level.NATIONAL:
            self._wrong("region", N_("Choose the region; only a national practice may leave it out."))
        elif not country and not clean["country"] and not region:
            self._wrong("country", N_("Choose the country."))
        clean["country"] = country
        clean["region"] = self._named(code)
        clean["other_regions"] = self._other_regions(clean["other_regions"])

    def _other_regions(self, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        kept = []
        for n, entry in enumerate(entries):
            field = f"other_regions.{n}"
            country = self._country(f"{field}.country", entry["country"])
            code = self._region(f"{field}.code", entry["code"], country) if entry["code"] else None
            if code and self.vocabulary:
                its_country = self.vocabulary.regions[code].country
                if country and country != its_country:
                    self._wrong(f"{field}.country", N_("This region is not in the country chosen."))
                country = country or its_country
            if not country and not entry["country"] and not entry["code"]:
                self._wrong(f"{field}.code", N_("Choose a region or a country, or remove this entry."))
            named = self._named(code)
            kept.append({"country": country, "code": code, "name": named["name"] if named else None})
        return kept

    def _country(self, field: str, value: Any) -> str | None:
        if value is None:
            return None
        code = str(value).upper()
        code = COUNTRY_ALIASES.get(code, code)
        if code in countries():
            return code
        self._wrong(field, N_("“%(value)s” is not a country code of ISO 3166, such as IE or IT."), value=str(value))
        return None

    def _region(self, field: str, value: Any, country: str | None) -> str | None:
        vocabulary = self.vocabulary
        if value is None or vocabulary is None:
            return None
        text = str(value)
        code = vocabulary.find_region(text)
        if code and vocabulary.regions[code].level == 0:
            self._wrong(
                field, N_("%(code)s is a whole country: choose the region, or set the level to national."), code=code
            )
            return None
        if code:
            return code
        after = vocabulary.successors.get(text.upper(), ())
        close = list(after)
        if not close and self._guesses:  # each takes some milliseconds, and a lock may be held
            self._guesses -= 1
            close = vocabulary.similar_regions(text, country) or vocabulary.similar_regions(text)
        names = ", ".join(f"{vocabulary.region_name(each)} ({each})" for each in close)
        if names:
            self._wrong(field, N_("“%(value)s” is not in the list. Did you mean %(names)s?"), value=text, names=names)
        else:
            self._wrong(field, N_("“%(value)s” is not in the list of regions."), value=text)
        return None

    def _named(self, code: str | None) -> dict[str, Any] | None:
        if code is None or self.vocabulary is None:
            return None
        return {"code": code, "name": self.vocabulary.regions[code].name_latin}

    def _lead_organisation(self) -> dict[str, Any] | None:
        lead = self.document.get("lead_organisation")
        if not lead or not lead.get("name"):
            self._wrong("lead_organisation.name", N_("Name the organisation that leads the practice."))
            return lead
        return self._organisation("lead_organisation", lead)

    def _organisation(self, field: str, entry: dict[str, Any]) -> dict[str, Any]:
        name = str(entry["name"] or "")
        if not name:
            self._wrong(f"{field}.name", N_("Name the organisation, or remove this entry."))
        elif len(name) > 300:
            self._too_long(f"{field}.name", LABELS[field.split(".", maxsplit=1)[0]], len(name), 300)
        kind = entry["type"]
        if kind is not None and kind not in tuple(OrganisationType):
            self._not_among(f"{field}.type", kind, tuple(OrganisationType))
        return {"name": name, "type": kind, "url": self._address(f"{field}.url", entry["url"])}

    def _dates(self) -> None:
        first = self._partial("start")
        last = self._partial("end", last=True)
        if first and last and first > last:
            self._wrong("end", N_("The end lies before the start. Change one of the two."))
        for key in ("last_verified", "review_due"):
            text = self._text(key)
            try:
                if text:
                    full_date(text)
            except ValueError:
                self._wrong(key, N_("Write the date as year, month and day: 2026-09-30."))

    def _partial(self, key: str, *, last: bool = False) -> date | None:
        text = self._text(key)
        if not text:
            return None
        try:
            day = partial_date(text, last=last)
        except ValueError:
            day = None
        if day is None or not 1900 <= day.year <= 2100:
            self._wrong(key, N_("Write a year, or a year and a month: 2021 or 2021-09."))
            return None
        return day

    def _figures(self, clean: Document) -> None:
        clean["beneficiaries"] = self._whole("beneficiaries", clean["beneficiaries"], 9_999_999_999)
        clean["budget_eur"] = self._amount("budget_eur", clean["budget_eur"])
        clean["budget_year"] = self._year("budget_year", clean["budget_year"])
        clean["indicators"] = [self._indicator(f"indicators.{n}", each) for n, each in enumerate(clean["indicators"])]
        clean["funding"] = [self._funding(f"funding.{n}", each) for n, each in enumerate(clean["funding"])]

    def _indicator(self, field: str, entry: dict[str, Any]) -> dict[str, Any]:
        if not entry["name"]:
            self._wrong(f"{field}.name", N_("Say what was counted or measured, or remove this entry."))
        return {
            **entry,
            "year": self._year(f"{field}.year", entry["year"]),
            "url": self._address(f"{field}.url", entry["url"]),
        }

    def _funding(self, field: str, entry: dict[str, Any]) -> dict[str, Any]:
        source = entry["source"]
        if source is None:
            self._wrong(f"{field}.source", N_("Choose where the money comes from, or remove this entry."))
        elif source not in tuple(FundingSource):
            self._not_among(f"{field}.source", source, tuple(FundingSource))
        return {
            "source": source,
            "amount_eur": self._amount(f"{field}.amount_eur", entry["amount_eur"]),
            "note": entry["note"],
        }

    def _translations(self) -> list[dict[str, Any]]:
        kept = []
        for n, entry in enumerate(self.document.get("translations") or []):
            field = f"translations.{n}"
            if entry["language"] not in LANGUAGES:
                self._wrong(f"{field}.language", N_("Choose the language of the translation."))
            if not entry["title"]:
                self._wrong(f"{field}.title", N_("Give the translated title."))
            elif len(entry["title"]) > 200:
                self._too_long(f"{field}.title", LABELS["title"], len(entry["title"]), 200)
            self._few_words(f"{field}.summary", LABELS["summary"], entry["summary"], 150)
            kept.append({**entry, "machine": entry["machine"] in (True, "true", "y", "on", "1")})
        return kept

    def _terms(self, key: str) -> list[str]:
        terms = [str(term) for term in self.document.get(key) or []]
        mainless = key == "themes" and terms[:1] == [NO_MAIN]
        terms = terms[mainless:]
        known: Mapping[str, Any] = {}
        if self.vocabulary is not None:
            known = getattr(self.vocabulary, key)
            terms = [self.vocabulary.current(key, term) for term in terms]
        terms = list(dict.fromkeys(terms))
        unknown = [term for term in terms if term not in known]
        if not terms:
            self._wrong(key, N_("Choose at least one: %(label)s."), label=LABELS[key])
        elif mainless:
            self._wrong(key, N_("Choose the main theme."))
        elif len(terms) > MOST_TERMS:
            self._wrong(
                key,
                N_("Choose the %(limit)d that fit best; %(count)d are chosen now."),
                limit=MOST_TERMS,
                count=len(terms),
            )
        if unknown:
            self._wrong(key, N_("Not in the list: %(values)s."), values=", ".join(unknown))
        return terms

    def _link(self, field: str, entry: dict[str, Any]) -> dict[str, Any]:
        url = self._address(f"{field}.url", entry["url"])
        if entry["url"] is None:
            self._no_address(field, entry["title"])
        title = str(entry["title"]) if entry["title"] else (urlsplit(url).hostname if url else None)
        return {"title": title, "url": url}

    def _rights(self, clean: Document) -> None:
        clean["licence"] = clean["licence"] or LICENCES[0]
        if clean["licence"] not in LICENCES:
            self._not_among("licence", clean["licence"], LICENCES)
        for n, entry in enumerate(clean["adapted_from"]):
            if not entry["slug"]:
                self._wrong(f"adapted_from.{n}.slug", N_("Name the practice that was adapted, or remove this entry."))

    def _files(self, clean: Document) -> None:
        for n, image in enumerate(clean["images"]):
            if not image["alt"]:
                self._wrong(f"images.{n}.alt", N_("Describe the image for those who cannot see it."))
        for key, types in (("images", IMAGE_TYPES), ("attachments", ATTACHMENT_TYPES)):
            clean[key] = [self._file(f"{key}.{n}", each, types) for n, each in enumerate(clean[key])]

    def _file(self, field: str, entry: dict[str, Any], types: tuple[str, ...]) -> dict[str, Any]:
        kind = entry["media_type"]
        if kind is not None and kind not in types:
            self._not_among(f"{field}.media_type", kind, types)
        return {
            **entry,
            "url": self._file_address(field, entry),
            "bytes": self._file_size(f"{field}.bytes", entry["bytes"]),
            "sha256": self._sha256(f"{field}.sha256", entry["sha256"]),
        }
