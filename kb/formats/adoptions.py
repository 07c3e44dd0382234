"""Who took which practice up, as rows of a table and as JSON: one row a region of the adoption trail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kb.formats.text import N_

COLUMNS = {
    "practice": N_("Slug of the practice that was taken up."),
    "region_code": N_("Code of the region that takes it up; empty where that is a whole country."),
    "region_name": N_("Name of the region."),
    "country": N_("Country, as a code of two letters (ISO 3166-1)."),
    "status": N_(
        "How far the region has come: considering, adapting, running, stopped; empty where a practice of the base says "
        "that it was adapted and nobody said more."
    ),
    "counted": N_("true where the region counts among those that took it up: all but those that consider it."),
    "organisation": N_("Who does it there."),
    "changes": N_("What was changed, in the words of whoever said it."),
    "own_practice": N_("Slug of the practice in this base that came of it, while that is public."),
    "said": N_("When it was said, in UTC."),
    "confirmed": N_("When the owner of the practice or an editor confirmed it last, in UTC."),
    "changed_since": N_("true where its words were changed since they were confirmed."),
}
"""The columns of the table with what they mean. Nobody's contact is among them."""


def row(item: Mapping[str, Any]) -> list[Any]:
    """The cells of a row, in the order of the columns; `item` is what JSON holds."""
    region, own = item["region"] or {}, item["own"] or {}
    values = {
        **item, "region_code": region.get("code"), "region_name": region.get("name"), "own_practice": own.get("slug"),
    }  # fmt: skip
    return [_cell(values[name]) for name in COLUMNS]


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else value
