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
    "region": ("region-code",),
    "lead_organisation": ("lead_organisation-name",),
    "contact": ("contact-role", "contact-email"),
}
"""Of fields that are several controls, the names of those that must be filled."""


@dataclass(frozen=True)
class Part:
    """How far a part of the form is: fields that hold something, things to mend, needed and recommended ones empty."""

    section: Section
    filled: int
    wrong: int
    missing: tuple[str, ...]
    empty: tuple[str, ...]

    @property
    def weighty(self) -> tuple[str, ...]:
        """The fields of this part that are needed or recommended."""
        return tuple(key for key in self.section.fields if key in NEEDED or key in RECOMMENDED)

    @property
    def done(self) -> bool:
        """Whether nothing more is asked for here."""
        return bool(self.weighty) and not (self.wrong or self.missing or self.empty)


@dataclass(frozen=True)
class Progress:
    """How far the whole form is, and each part of it by its anchor."""

    parts: Mapping[str, Part]

    @property
    def missing(self) -> tuple[str, ...]:
        """Fields that a submission cannot do without and that are empty."""
        return tuple(key for part in self.parts.values() for key in part.missing)

    @property
    def empty(self) -> tuple[str, ...]:
        """Recommended fields that are empty, in the order of the form."""
        return tuple(key for part in self.parts.values() for key in part.empty)

    @property
    def percent(self) -> int:
        """The completeness of the record, as its page will say it."""
        return round(100 * (1 - len(self.empty) / len(RECOMMENDED)))


def of(form: PracticeForm, problems: Iterable[Problem]) -> Progress:
    """Return how far a form is. `problems` is what is wrong with it, where that was looked at."""
    wrong = [problem.field.split(".", maxsplit=1)[0] for problem in problems]
    return Progress({section.anchor: _part(form, section, wrong) for section in SECTIONS})


def _part(form: PracticeForm, section: Section, wrong: list[str]) -> Part:
    return Part(
        section=section,
        filled=sum(_holds(form[key].data) for key in section.fields),
        wrong=sum(field in section.fields for field in wrong),
        missing=tuple(key for key in section.fields if key in NEEDED and not _given(form, key)),
        empty=tuple(key for key in section.fields if key in RECOMMENDED and not _holds(form[key].data)),
    )


def _given(form: PracticeForm, key: str) -> bool:
    """Whether a needed field holds what is needed of it."""
    if key == "region" and form.level.data == Level.NATIONAL:
        return True
    data = form[key].data
    if key in PARTS_NEEDED:
        return all(_holds(data.get(name.partition("-")[2])) for name in PARTS_NEEDED[key])
    return _holds(data)


def _holds(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_holds(part) for part in value.values())
    if isinstance(value, list):
        return any(_holds(entry) for entry in value)
    if isinstance(value, str):
        return bool(value.strip())
    return value not in (None, False)
