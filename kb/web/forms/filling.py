"""Between the practice form and a document: what was sent into the form, the form into a document, and back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from werkzeug.datastructures import MultiDict
from wtforms import FieldList

from kb.services.buffers import Window
from kb.services.errors import N_, Invalid, Problem
from kb.services.record import (
    CONTACT,
    DOCUMENT_KEYS,
    GROUPS,
    LABELS,
    LIST_CAP,
    LISTS,
    NO_MAIN,
    TERMS,
    Document,
    shape,
    shape_contact,
)
from kb.services.vocabularies import Vocabulary
from kb.web.forms.practice import REPEATING, PracticeForm

ANSWER = "answer-"
"""How the names of fields begin that hold an answer to an editor's question."""

COPY_NAME = 40
"""Characters of the name by which a browser knows its own copy of a form's text."""

_NUMBER = re.compile(r"[0-9]{1,6}")
_ENTRY = re.compile(rf"(?P<part>{'|'.join(REPEATING)})-(?P<number>[0-9]{{1,6}})-(?P<key>[a-z_]+)")


def filled(
    document: Document, contact: Mapping[str, Any], vocabulary: Vocabulary, language: str = "en"
) -> PracticeForm:
    """The form with a document's values in it; regions by name and code."""
    data: dict[str, Any] = {key: document[key] for key in DOCUMENT_KEYS if hasattr(PracticeForm, key)}
    for key in GROUPS:
        data[key] = dict(data.get(key) or {})
    data["themes"] = [term if term != NO_MAIN else "" for term in data["themes"]]  # as the list and the boxes send it
    data["other_regions"] = [dict(entry) for entry in data["other_regions"]]
    for entry in (data["region"], *data["other_regions"]):
        entry["code"] = vocabulary.region_title(entry.get("code"), language)
    return PracticeForm(formdata=None, data={**data, "contact": dict(contact)})


def posted(pairs: MultiDict[str, str]) -> PracticeForm:
    """The form with what was sent, after what was asked of it with a button: an entry more or less, a suggestion.

    Raises Invalid where more entries were sent than a part may hold: none is dropped in silence.
    """
    form = PracticeForm(formdata=MultiDict(_numbered(pairs)))
    form.answers = answers(pairs)
    part, _dash, position = pairs.get("remove", "").rpartition("-")
    if (added := pairs.get("add", "")) in REPEATING and len(form[added]) < LIST_CAP:
        form[added].append_entry()
    elif part in REPEATING and _NUMBER.fullmatch(position):
        entries = [entry.data for n, entry in enumerate(form[part]) if n != int(position)]
        _replace(form[part], entries)
    _choose(form, pairs.get("suggest", ""))
    return form


def _choose(form: PracticeForm, suggested: str) -> None:
    """Choose what was suggested and then pressed: `themes:housing`, or `language:it`."""
    key, _colon, value = suggested.partition(":")
    if key in TERMS and value:
        chosen, more = list(filter(None, form[key].data or [])), [value]
        form[key].data = list(dict.fromkeys(more + chosen if _lacks_main(key, form[key].data) else chosen + more))
    elif key == "language" and value:
        form.language.data = value


def answers(pairs: MultiDict[str, str]) -> dict[str, str]:
    """What was typed as answers to the editors' questions, by the question's id."""
    return {name.removeprefix(ANSWER): text for name, text in pairs.items() if name.startswith(ANSWER)}


def seen(pairs: MultiDict[str, str]) -> int | None:
    """The number of the revision that a form was filled from."""
    text = pairs.get("seen", "")
    return int(text) if _NUMBER.fullmatch(text) else None


def began(pairs: MultiDict[str, str]) -> int | None:
    """The revision that the text of a form began from: the first one, where this very form began the practice."""
    return seen(pairs) or (1 if "draft" in pairs else None)


def copy_name(pairs: MultiDict[str, str]) -> str | None:
    """The name by which the browser knows its own copy of the form's text."""
    name = pairs.get("copy", "")
    return name if name.isascii() and name.isalnum() and len(name) <= COPY_NAME else None


def window(pairs: MultiDict[str, str]) -> Window:
    """The window from which a form was sent, for the buffer of what is typed there."""
    return Window(copy_name(pairs), pairs.get("after", ""))


def contact_seen(pairs: MultiDict[str, str]) -> str:
    """The mark of the contact that a form was filled from."""
    return pairs.get("contact_seen", "")


def _numbered(pairs: MultiDict[str, str]) -> Iterator[tuple[str, str]]:
    """What was sent, the entries of each repeating part numbered through from 0 in the order of their numbers.

    Only plain numbers count: WTForms would stumble over `sources-²-url`, and over a number of 5,000 digits.
    """
    numbers: dict[str, set[int]] = {}
    split = [(_ENTRY.fullmatch(name), name, value) for name, value in pairs.items(multi=True)]
    for match, _name, _value in split:
        if match:
            numbers.setdefault(match["part"], set()).add(int(match["number"]))
    for part, found in numbers.items():
        if len(found) > LIST_CAP:
            text = N_("%(label)s has %(count)d entries, the limit is %(limit)d.")
            raise Invalid([Problem.of(part, text, label=LABELS[part], count=len(found), limit=LIST_CAP)])
    places = {part: {number: n for n, number in enumerate(sorted(found))} for part, found in numbers.items()}
    for match, name, value in split:
        if match:
            yield f"{match['part']}-{places[match['part']][int(match['number'])]}-{match['key']}", value
        elif not name.startswith(tuple(f"{part}-" for part in REPEATING)):
            yield name, value


def _replace(field: FieldList, entries: list[dict[str, Any]]) -> None:
    while field.entries:
        field.pop_entry()
    for data in entries or [{}]:
        field.append_entry(data)


def document_of(form: PracticeForm, before: Document, vocabulary: Vocabulary) -> Document:
    """What the form says, as a document; what it does not ask for stays as it was.

    A region that is known by what was typed is kept by its code, any other as it was typed. Raises Invalid past the
    caps.
    """
    asked = {key for key in DOCUMENT_KEYS if key in form}
    values: dict[str, Any] = {key: value for key, value in before.items() if key not in asked}
    for key in asked:
        value = form[key].data
        if key in GROUPS:
            value = {part: value.get(part) or None for part in GROUPS[key]}
        elif key in LISTS:
            value = [{part: entry.get(part) or None for part in LISTS[key]} for entry in value]
        elif key in TERMS:
            value = _terms(key, value or [], before[key] or [])
        values[key] = value or None
    document = shape(values)
    for entry in ([document["region"]] if document["region"] else []) + document["other_regions"]:
        code = vocabulary.find_region(entry["code"] or "")
        if code is not None:
            entry |= {"code": code, "name": vocabulary.regions[code].name_latin}
    return {key: before[key] if _said(before[key]) == _said(document[key]) else document[key] for key in document}


def _lacks_main(key: str, sent: list[str] | None) -> bool:
    """Whether themes were ticked and none was chosen as the main one: that list is sent first, and empty then."""
    return key == "themes" and sent is not None and any(sent) and not sent[0]


def _terms(key: str, sent: list[str], before: list[str]) -> list[str]:
    terms = list(dict.fromkeys(filter(None, sent)))
    return _as_before([NO_MAIN, *terms] if _lacks_main(key, sent) else terms, before, leads=key == "themes")


def _as_before(terms: list[str], before: list[str], *, leads: bool) -> list[str]:
    """Terms in the order in which they stood: boxes come in that of the page. With `leads` the first stays first."""
    place = {term: n for n, term in enumerate(before)}
    return sorted(terms, key=lambda term: (not (leads and term == terms[0]), place.get(term, len(place))))


def _said(value: Any) -> Any:
    """A value as a form says it: all is text there, and what is empty is not there."""
    if isinstance(value, dict):
        return {key: said for key, part in value.items() if (said := _said(part)) is not None}
    if isinstance(value, list):
        return [_said(entry) for entry in value]
    return None if value in (None, False, "") else str(value)


def contact_of(form: PracticeForm) -> dict[str, Any]:
    """What the form says of the contact. Raises Invalid past the caps."""
    return shape_contact({key: form.contact.form[key].data for key in CONTACT}) or {}
