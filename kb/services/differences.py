"""What changed: between two texts word by word, and between two documents field by field."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

from kb.services.record import DOCUMENT_KEYS, GROUPS, LISTS, NARRATIVE, TERMS, Document

Kind = Literal["same", "added", "removed"]

TEXTS = ("title", "original_title", "summary", "place", *NARRATIVE, "attribution", "editor_note")
"""Fields that are compared word by word; any other is compared by its value."""

STRAY = 24
"""Characters up to which words that stayed between two changes are shown as changed with them."""

MOST_WORDS = 4_000
"""Words and signs, beyond what stayed at both ends, up to which two texts are compared; past it all of them changed.

The time grows with their square, and the pages are there for everybody.
"""

_WORD = re.compile(r"\w+|[^\w\s]")
_SAME: tuple[Kind, ...] = ("same",)
_CHANGES: tuple[Kind, ...] = ("removed", "added")
_BLANK: tuple[Any, ...] = (None, [], "")


@dataclass(frozen=True)
class Piece:
    """A stretch of text that stayed, was added or was removed."""

    kind: Kind
    text: str


@dataclass(frozen=True)
class EntryDifference:
    """One entry of a list, or the value of a field that holds one: None where it was not there."""

    kind: Literal["same", "added", "removed", "changed"]
    before: Any
    after: Any


@dataclass(frozen=True)
class FieldDifference:
    """A field that two documents fill differently.

    `pieces` is there for TEXTS, `entries` for every other field: of a list all its entries in order, of another its
    one value.
    """

    key: str
    before: Any
    after: Any
    pieces: tuple[Piece, ...] = ()
    entries: tuple[EntryDifference, ...] = ()

    @property
    def is_list(self) -> bool:
        """Whether the field holds a list."""
        return self.key in LISTS or self.key in TERMS

    @property
    def has_language(self) -> bool:
        """Whether the field is written in the language of its document."""
        return self.key in ("title", "summary", *NARRATIVE)


# Two texts


def words(before: str, after: str) -> list[Piece]:
    """Return what stayed, went and came between two texts, in the order of reading, each removal before its addition.

    Without what was added the pieces make the first text again, without what was removed the second: white space is
    kept. The most words that can stay do (Hyyrö 2004: the longest common subsequence, a machine word at a time), up to
    MOST_WORDS, so that the time has a bound whatever the texts are.
    """
    ours, theirs = list(_WORD.finditer(before)), list(_WORD.finditer(after))
    pieces: list[Piece] = []
    here = there = 0
    for i, j in _common([each.group() for each in ours], [each.group() for each in theirs]):
        pieces += _gap(before[here : ours[i].start()], after[there : theirs[j].start()])
        pieces.append(Piece("same", ours[i].group()))
        here, there = ours[i].end(), theirs[j].end()
    pieces += _gap(before[here:], after[there:])
    return _joined(_readable(_joined(pieces)))


def _common(ours: Sequence[Any], theirs: Sequence[Any]) -> list[tuple[int, int]]:
    """The places in two lists of a longest common subsequence, ascending."""
    head = 0
    while head < min(len(ours), len(theirs)) and ours[head] == theirs[head]:
        head += 1
    tail = 0
    while tail < min(len(ours), len(theirs)) - head and ours[-1 - tail] == theirs[-1 - tail]:
        tail += 1
    middle = _subsequence(ours[head : len(ours) - tail], theirs[head : len(theirs) - tail])
    return [
        *((n, n) for n in range(head)),
        *((head + i, head + j) for i, j in middle),
        *((len(ours) - n, len(theirs) - n) for n in range(tail, 0, -1)),
    ]


def _subsequence(ours: Sequence[Any], theirs: Sequence[Any]) -> list[tuple[int, int]]:
    """The places of a longest common subsequence: row by row a number with a bit for each of `theirs`, then back.

    A bit that is 0 says that the longest common subsequence up to this row grows at this column.
    """
    if not ours or not theirs or max(len(ours), len(theirs)) > MOST_WORDS:
        return []
    where: dict[Any, int] = {}
    for j, each in enumerate(theirs):
        where[each] = where.get(each, 0) | 1 << j
    every = (1 << len(theirs)) - 1
    row, rows = every, [every]
    for each in ours:
        hits = row & where.get(each, 0)
        row = ((row + hits) | (row - hits)) & every
        rows.append(row)
    found = []
    i, j = len(ours), len(theirs)
    while i and j:
        if rows[i] >> (j - 1) & 1:
            j -= 1
        elif i > 1 and not rows[i - 1] >> (j - 1) & 1:
            i -= 1
        else:
            i, j = i - 1, j - 1
            found.append((i, j))
    return found[::-1]


def _gap(before: str, after: str) -> Iterator[Piece]:
    """What stands between two words that stayed: white space at both ends stayed too where it is the same."""
    if before == after:
        yield Piece("same", before)
        return
    head = 0
    while head < min(len(before), len(after)) and before[head] == after[head] and before[head].isspace():
        head += 1
    tail = 0
    rest = min(len(before), len(after)) - head
    while tail < rest and before[-1 - tail] == after[-1 - tail] and before[-1 - tail].isspace():
        tail += 1
    yield Piece("same", before[:head])
    yield Piece("removed", before[head : len(before) - tail])
    yield Piece("added", after[head : len(after) - tail])
    yield Piece("same", before[len(before) - tail :])


def _readable(pieces: list[Piece]) -> Iterator[Piece]:
    """The pieces, with few words that stayed between larger changes changed with them: "in the" alone says nothing."""
    for n, piece in enumerate(pieces):
        if piece.kind == "same" and _stray(pieces, n):
            yield Piece("removed", piece.text)
            yield Piece("added", piece.text)
        else:
            yield piece


def _stray(pieces: list[Piece], n: int) -> bool:
    text = pieces[n].text
    around = min(_changed(pieces, n, -1), _changed(pieces, n, 1))
    return len(text) <= STRAY and 2 * len(text) <= around and "\n" not in text


def _changed(pieces: list[Piece], n: int, step: int) -> int:
    """How long the longer of the removal and the addition on one side of a piece is; 0 at the end of the text."""
    beside = [pieces[k] for k in (n + step, n + 2 * step) if 0 <= k < len(pieces)]
    if beside and beside[-1].kind == "same":
        beside.pop()
    return max((len(each.text) for each in beside), default=0)


def _joined(pieces: Iterable[Piece]) -> list[Piece]:
    """The pieces, neighbours that stayed as one, and each run of changes as one removal and one addition."""
    joined = []
    for stayed, run in groupby((piece for piece in pieces if piece.text), key=lambda piece: piece.kind == "same"):
        together = list(run)
        for kind in _SAME if stayed else _CHANGES:
            text = "".join(piece.text for piece in together if piece.kind == kind)
            if text:
                joined.append(Piece(kind, text))
    return joined


# Two documents


def fields(before: Document | None, after: Document) -> list[FieldDifference]:
    """Return the fields in which a document differs from the one before it, in the order of the record.

    Without one before, those that are filled. A key that one of the two does not have is empty in it.
    """
    earlier = before or {}
    return [_field(key, earlier.get(key), after.get(key)) for key in changed(before, after)]


def changed(before: Document | None, after: Document) -> list[str]:
    """Return the fields in which a document differs from the one before it, in the order of the record."""
    pairs = ((key, (before or {}).get(key), after.get(key)) for key in DOCUMENT_KEYS)
    return [
        key for key, was, now in pairs if not (was in _BLANK and now in _BLANK) and _comparable(was) != _comparable(now)
    ]


def _field(key: str, was: Any, now: Any) -> FieldDifference:
    if key in TEXTS:
        pieces = words("" if was is None else str(was), "" if now is None else str(now))
        return FieldDifference(key, was, now, pieces=tuple(pieces))
    return FieldDifference(key, was, now, entries=tuple(_entries(key, _as_list(was), _as_list(now))))


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _entries(key: str, ours: list[Any], theirs: list[Any]) -> Iterator[EntryDifference]:
    """The entries of two lists: those that stayed, went, came, and those that say something else of the same thing."""
    here = there = 0
    common = _common([_comparable(each) for each in ours], [_comparable(each) for each in theirs])
    for i, j in (*common, (len(ours), len(theirs))):
        yield from _between(key, ours[here:i], theirs[there:j])
        if i < len(ours):
            yield EntryDifference("same", ours[i], theirs[j])
        here, there = i + 1, j + 1


def _between(key: str, ours: list[Any], theirs: list[Any]) -> Iterator[EntryDifference]:
    """Entries between two that stayed: of one name they are one that changed, the others went or came."""
    left = list(theirs)
    for entry in ours:
        name = _name(key, entry)
        other = next((each for each in left if name is not None and _name(key, each) == name), None)
        if other is None:
            yield EntryDifference("removed", entry, None)
        else:
            left.remove(other)
            yield EntryDifference("changed", entry, other)
    for entry in left:
        yield EntryDifference("added", None, entry)


def _name(key: str, entry: Any) -> Any:
    """What an entry is known by: its first part that says something. A field of one group is always the same thing."""
    if key in GROUPS:
        return key
    if not isinstance(entry, dict):
        return None
    return next(((part, value) for part, value in entry.items() if value not in (None, "", False)), None)


def _comparable(value: Any) -> str:
    """A value as it is compared. A region is its code: its name comes from the list of regions.

    A draft holds numbers as they were typed, a checked record as numbers: 380 and "380" are the same.
    """
    return json.dumps(_plain(value), sort_keys=True, ensure_ascii=False, default=str)


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        parts = value.keys() - ({"name"} if value.get("code") else set())
        return {part: _plain(value[part]) for part in parts}
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(int(value) if value == int(value) else value)
    return value
