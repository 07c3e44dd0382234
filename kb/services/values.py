"""Kinds of value that a record holds: how each is read, and what is said when it is not one."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from kb.models import ADDRESS_LIMIT
from kb.services.errors import N_, Invalid, Label, Problem
from kb.services.record import LABELS, Document, words

_PARTIAL_DATE = re.compile(r"[0-9]{4}(-(0[1-9]|1[0-2]))?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# "www.example.org/page", as people write it: letters and dots up to the first slash, no scheme.
_HOST = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}(/|$)")
_WHOLE = re.compile(r"[0-9]{1,10}")
_AMOUNT = re.compile(r"[0-9]+(\.[0-9]*)?|\.[0-9]+")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NO_LINK = re.compile(r"(?:\]\(|\]:|<)\s*<?\s*((?:javascript|vbscript|data|file):)", re.IGNORECASE)
"""What begins a link of Markdown that leads neither to the web nor to a mail address."""

_OWN_FILE = re.compile(r"/files(/[A-Za-z0-9][A-Za-z0-9._-]*)+")

CHARACTERS_A_WORD = 15
"""Characters that each word of a limit stands for: a text without spaces would be one word, however long."""

FILE_LIMIT = 10 * 1024 * 1024
"""The largest file that a record may name, in bytes."""


def is_email(text: str) -> bool:
    """Whether text has the form of an e-mail address; whether it exists only mail can tell."""
    return len(text) <= 254 and re.fullmatch(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+", text) is not None


def partial_date(text: str, *, last: bool = False) -> date:
    """The first day of a year or a month, or, with `last`, its last. Raises ValueError."""
    if not _PARTIAL_DATE.fullmatch(text):
        raise ValueError(text)
    year = int(text[:4])
    month = int(text[5:7]) if len(text) == 7 else (12 if last else 1)
    if not last:
        return date(year, month, 1)
    return date(year + month // 12, month % 12 + 1, 1) - date.resolution


def full_date(text: str) -> date:
    """A day written as year, month and day with hyphens, the only one of ISO 8601's forms taken. Raises ValueError."""
    if not _DATE.fullmatch(text):
        raise ValueError(text)
    return date.fromisoformat(text)


def amount(text: str) -> int | float | None:
    """Read an amount of money, at most twelve digits and two decimals; None where it is not one."""
    if not _AMOUNT.fullmatch(text):
        return None
    number = Decimal(text)
    if number >= 10**12 or number != round(number, 2):
        return None
    return int(number) if number == int(number) else float(number)


def is_web_address(text: str) -> bool:
    """Whether text is an http or https address with a host."""
    if len(text) > ADDRESS_LIMIT or re.search(r"\s", text):
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


class ValueReader:
    """Reads values out of one document and gathers a problem for each that is not what it should be."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[Problem] = []

    def raise_if_any(self) -> None:
        """Raise Invalid where problems were found, in the order of the record."""
        if self.problems:
            raise Invalid(self.problems)

    def _text(self, key: str) -> str | None:
        value = self.document.get(key)
        return None if value is None else str(value)

    def _needed(self, key: str, text: str | None = None) -> None:
        if not self._text(key):
            self._wrong(key, text or N_("Write something under “%(label)s”."), label=LABELS[key])

    def _within_words(self, key: str, limit: int) -> None:
        self._few_words(key, LABELS[key], self._text(key), limit)
        if found := _NO_LINK.search(self._text(key) or ""):
            text = N_("A link may lead to a web page or a mail address: take “%(link)s” away.")
            self._wrong(key, text, link=found[1])

    def _one_of(self, key: str, values: tuple[str, ...]) -> None:
        value = self._text(key)
        if value is not None and value not in values:
            self._not_among(key, value, values)

    def _whole(self, field: str, value: Any, most: int) -> int | None:
        number: int | None = self._number(
            field,
            value,
            lambda text: int(text) if _WHOLE.fullmatch(text) and int(text) <= most else None,
            N_("Write a whole number with digits only, such as 1200."),
        )
        return number

    def _year(self, field: str, value: Any) -> int | None:
        number: int | None = self._number(
            field,
            value,
            lambda text: int(text) if _WHOLE.fullmatch(text) and 1900 <= int(text) <= 2100 else None,
            N_("Write a year with four digits, such as 2023."),
        )
        return number

    def _amount(self, field: str, value: Any) -> int | float | None:
        number: int | float | None = self._number(
            field, value, amount, N_("Write an amount in euro with digits only, such as 2500000.")
        )
        return number

    def _number(self, field: str, value: Any, read: Callable[[str], Any], otherwise: str) -> Any:
        if value is None:
            return None
        number = None if isinstance(value, bool) else read(re.sub(r"[\s\u00a0\u202f]", "", str(value)))
        if number is None:
            self._wrong(field, otherwise)
        return number

    def _address(self, field: str, value: Any) -> str | None:
        if value is None:
            return None
        if is_web_address(text := str(value)):
            return text
        if _HOST.match(text) and is_web_address(f"https://{text}"):
            return f"https://{text}"
        self._wrong(
            field, N_("“%(value)s” is not a web address: it must begin with http:// or https://."), value=text[:80]
        )
        return None

    def _file_address(self, field: str, entry: dict[str, Any]) -> str | None:
        url = entry["url"]
        if url is None:
            self._no_address(field, entry["title"])
            return None
        if len(url) <= ADDRESS_LIMIT and _OWN_FILE.fullmatch(url):
            return str(url)
        return self._address(f"{field}.url", url)

    def _file_size(self, field: str, value: Any) -> int | None:
        size = self._whole(field, value, 9_999_999_999)
        if size is not None and size > FILE_LIMIT:
            self._wrong(field, N_("The file is too large: the limit is %(limit)d MB."), limit=FILE_LIMIT // 1024**2)
            return None
        return size

    def _sha256(self, field: str, value: str | None) -> str | None:
        if value is None or _SHA256.fullmatch(value.lower()):
            return value and value.lower()
        self._wrong(field, N_("Write the SHA-256 sum as 64 digits and letters from a to f."))
        return None

    def _no_address(self, field: str, title: Any) -> None:
        self._wrong(
            f"{field}.url", N_("Give the address of “%(title)s”, or remove this entry."), title=str(title or "")[:80]
        )

    def _wrong(self, field: str, text: str, **values: Any) -> None:
        self.problems.append(Problem.of(field, text, **values))

    def _few_words(self, field: str, label: Label, text: str | None, limit: int) -> None:
        """A limit in words, and one in characters beside it."""
        count, length = words(text), len(text or "")
        if count > limit:
            self._wrong(
                field, N_("Shorten “%(label)s”: it has %(count)d words, the limit is %(limit)d."),
                label=label, count=count, limit=limit,
            )  # fmt: skip
        elif length > limit * CHARACTERS_A_WORD:
            self._too_long(field, label, length, limit * CHARACTERS_A_WORD)

    def _too_long(self, field: str, label: Label, count: int, limit: int) -> None:
        self._wrong(
            field, N_("Shorten “%(label)s”: it has %(count)d characters, the limit is %(limit)d."),
            label=label, count=count, limit=limit,
        )  # fmt: skip

    def _not_among(self, field: str, value: Any, values: tuple[str, ...]) -> None:
        self._wrong(
            field, N_("“%(value)s” is not one of: %(values)s."), value=str(value)[:80], values=", ".join(values)
        )
