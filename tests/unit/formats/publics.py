"""Whole public records and their frame for tests of formats that say a record in words."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from kb.formats.about import About, Document
from kb.services.record import tidy
from tests import factories

BASE = "https://kb.example.org"

ABOUT = About(
    site="Regional integration practices",
    base_url=BASE,
    title="Practices: housing",
    url=f"{BASE}/practices?q=housing&country=IT",
    made=datetime(2026, 11, 23, 10, 0, tzinfo=UTC),
    language="en",
    term=lambda facet, value: f"{facet} {value}",
    point=lambda document: (11.34, 44.49) if document["region"] else None,
)

SEED = {"origin": {"kind": "seed", "url": None}, "attribution": "compiled from the sources named"}


def public(number: int = 1, *, version: int = 3, **changes: Any) -> Document:
    """A record as readers get it."""
    stamped = {
        "id": str(uuid.UUID(int=number)), "slug": f"practice-{number}", "licence": "CC-BY-4.0",
        "attribution": "Regional health service", "published": "2026-01-02T03:04:05Z", "version": version,
        "updated": "2026-11-22T10:00:00Z", "url": f"{BASE}/practices/practice-{number}",
        "origin": {"kind": "member", "url": None},
    }  # fmt: skip
    return {**factories.document(), **stamped, **changes}


SIGNS = (
    "<b>", "<script>", "</i>", "<!--", "<?x", "<a href=", ">", "<", "![", "](http://x.org)", "[a]", "[a]: http://x.org",
    "# ", "===", "---", "```", "~~~", "\\", "`", "*", "**", "_", "|", "&lt;", "&", "> ", "- ", "1. ", "    ", "\n",
    "\n\n", "@misc{", "ER  - ", "TY  - ", "{", "}", "\"", "'", "''", "--", "?`", ",,", "<<", "%", "$", "#", "^", "~",
    "\\textbf{", "\u2028", "\x85", "\x00", "\u00a0", "a", "Zoë", "漢字", "😀", ".", "!", "=1+1", "<https://x.org>",
)  # fmt: skip
"""What some format reads as more than text."""

HOSTILE = st.one_of(st.lists(st.sampled_from(SIGNS), min_size=1, max_size=12).map("".join), st.text())
"""Any text, half of the time made of SIGNS."""

WRITTEN = HOSTILE.map(tidy).filter(bool)
"""Any text as a record keeps it."""

NAMES = WRITTEN.map(lambda text: " ".join(text.split())).filter(bool)
"""The same in one line."""
