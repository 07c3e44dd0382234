"""Whole records for tests of formats: any that the site could hold, made without a site."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from kb.formats.about import Document
from kb.services.record import KEYS, shape
from tests.unit.services.documents import DOCUMENTS, maybe, text

SOFTWARE: dict[str, Any] = {
    "id": "3d0a6a52-6f2c-5b6b-8f0d-0a5b7f5f9d11", "slug": "a-house-for-all", "version": 3, "completeness": 0.72,
    "published": "2026-11-22T10:00:00Z", "updated": "2026-11-22T10:00:00Z",
    "url": "https://practices.example.eu/practices/a-house-for-all", "origin": {"kind": "member", "url": None},
}  # fmt: skip


def whole(document: dict[str, Any], **more: Any) -> Document:
    """A document as the whole record that it would be when published."""
    made = {**shape(document), **SOFTWARE, **more}
    return {key: made[key] for key in KEYS}


RECORDS = st.builds(
    whole,
    DOCUMENTS,
    slug=st.sampled_from(["a-house-for-all", "acol", "b-2"]),
    version=st.integers(1, 10**6),
    completeness=st.integers(0, 100).map(lambda n: n / 100),
    origin=st.fixed_dictionaries({"kind": st.just("harvest"), "url": maybe(text())}),
)
"""Any record, with any text in it."""
