"""How far the practice form is: what is still needed, what would make it more complete, which parts are done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kb.models import Level
from kb.services.errors import Problem
from kb.services.record import RECOMMENDED
from kb.web.forms.practice import NEEDED, SECTIONS, PracticeForm, Section

PARTS_NEEDED: Mapping[str, tuple[str, ...]] = {
    "region": ("region",),
    "lead_organisation": ("lead_organisation",),
    "contact": ("contact.role", "contact.email"),
}
"""What is asked for in needed fields that are several controls, one by one as the problems of a submission count it."""

CONTROLS: Mapping[str, str] = {
    "region": "region-code",
    "lead_organisation": "lead_organisation-name",
    "contact.role": "contact-role",
    "contact.email": "contact-email",
}
"""The control that must be filled for each of these."""

ASKED = tuple(
    path for section in SECTIONS for key in section.fields if key in NEEDED for path in PARTS_NEEDED.get(key, (key,))
)
"""All that a submission cannot do without, in the order of the form."""

TOLD = tuple(key for section in SECTIONS for key in section.fields if key in RECOMMENDED)
"""The recommended fields in the order of the form."""


@dataclass(frozen=True)
class Part:
    """How far a part of the form is: things to mend, what is needed and not there, recommended fields left empty."""

    section: Section
    wrong: int
    missing: tuple[str, ...]
    empty: tuple[str, ...]

    @property
    def optional(self) -> bool:
        """Whether nothing is asked for here."""
        return not set(self.section.fields) & set(NEEDED)


@dataclass(frozen=True)
class Progress:
    """How far the whole form is, and each part of it by its anchor."""

    parts: Mapping[str, Part]

    @property
    def missing(self) -> tuple[str, ...]:
        """What a submission cannot do without and that is empty."""
        return tuple(key for part in self.parts.values() for key in part.missing)

    @property
    def empty(self) -> tuple[str, ...]:
        """Recommended fields that are empty, in the order of the form."""
        return tuple(key for part in self.parts.values() for key in part.empty)

    @property
    def told(self) -> int:
        """How many recommended fields hold something."""
        return len(RECOMMENDED) - len(self.empty)

    @property
    def percent(self) -> int:
        """The completeness of the record, as its page will say it."""
        return round(100 * self.told / len(RECOMMENDED))


def of(form: PracticeForm, problems: Iterable[Problem]) -> Progress:
    """Return how far a form is. `problems` is what is wrong with it, where that was looked at."""
    wrong = [problem.field.split(".", maxsplit=1)[0] for problem in problems]
    return Progress({section.anchor: _part(form, section, wrong) for section in SECTIONS})


def _part(form: PracticeForm, section: Section, wrong: list[str]) -> Part:
    return Part(
        section=section,
        wrong=sum(field in section.fields for field in wrong),
        missing=tuple(path for path in ASKED if path.split(".")[0] in section.fields and not _given(form, path)),
        empty=tuple(key for key in section.fields if key in RECOMMENDED and not _holds(form[key].data)),
    )


def _given(form: PracticeForm, path: str) -> bool:
    """Whether what is needed is there."""
    if path == "region" and form.level.data == Level.NATIONAL:
        return True
    if path in CONTROLS:
        key, _dash, part = CONTROLS[path].partition("-")
        return _holds(form[key].data.get(part))
    data = form[path].data
    return _holds(data[:1] if path == "themes" and data else data)  # the first is the main one


def _holds(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_holds(part) for part in value.values())
    if isinstance(value, list):
        return any(_holds(entry) for entry in value)
    if isinstance(value, str):
        return bool(value.strip())
    return value not in (None, False)
