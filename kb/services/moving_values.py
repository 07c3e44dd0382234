"""How a value is carried from one database to another: as one text, the same whichever database it came from.

SQLite keeps what it is given, whatever the column says; PostgreSQL keeps only what fits. A value that would not fit, or
that this software could not read again, is Unfit and says why.
"""

from __future__ import annotations

import json
import math
import re
import uuid
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    Enum,
    Float,
    Index,
    Integer,
    Numeric,
    String,
    UniqueConstraint,
    Uuid,
)

from kb.db import UtcDateTime

INDEXED_LIMIT = 2600
"""Bytes of a text that PostgreSQL can surely keep in an index: a third of its page, less what it notes beside it."""

_WHOLE = re.compile(r"-?[0-9]+")
_HEX = re.compile(r"[0-9a-f]{32}")
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


class Unfit(ValueError):
    """A value that cannot be moved; says why, as a sentence that begins with the column."""


class Form:
    """How the values of a column are written in either database and between them. NULL never comes here."""

    def __init__(self, column: Column[Any]) -> None:
        """The form of a column, which says how long a text may be, and the like."""

    def of_sqlite(self, raw: Any) -> str:
        """What SQLite's driver reads, as text; bytes are a text that is none. Raises Unfit."""
        raise NotImplementedError

    def of_postgresql(self, text: str) -> str:
        """What PostgreSQL writes as text. Raises Unfit."""
        raise NotImplementedError

    def for_sqlite(self, text: str) -> Any:
        """What SQLAlchemy would have SQLite keep for it."""
        return text


class _Text(Form):
    def __init__(self, column: Column[Any]) -> None:
        self._limit = getattr(column.type, "length", None) or math.inf
        self._indexed = _indexed(column)
        self._values = frozenset(column.type.enums) if isinstance(column.type, Enum) else None

    def of_sqlite(self, raw: Any) -> str:
        if not isinstance(raw, str):
            raise Unfit("is not text in UTF-8")
        if "\0" in raw:
            raise Unfit("holds the character NUL")
        if len(raw) > self._limit:
            raise Unfit(f"has {len(raw)} characters, and there is room for {self._limit}")
        if self._indexed and len(raw) > INDEXED_LIMIT // 4 and len(raw.encode()) > INDEXED_LIMIT:
            raise Unfit(f"has {len(raw.encode())} bytes, and an index takes {INDEXED_LIMIT}")
        return self.of_postgresql(raw)

    def of_postgresql(self, text: str) -> str:
        if self._values is not None and text not in self._values:
            raise Unfit("is none of the values that it may have")
        return text


class _Json(Form):
    def of_sqlite(self, raw: Any) -> str:
        if isinstance(raw, int | float):  # SQLite keeps JSON that is nothing but a number as a number
            raw = repr(raw)
        if not isinstance(raw, str):
            raise Unfit("is not text in UTF-8")
        try:
            value = json.loads(raw, parse_constant=_refuse_constant)
            text = json.dumps(value, allow_nan=False)
        except RecursionError as error:
            raise Unfit("is JSON too deep to be read") from error
        except ValueError as error:
            raise Unfit("is no JSON") from error
        if "\\u0000" in text and _NUL.search(text):
            raise Unfit("holds the character NUL")
        if "\\ud" in text and not _whole_characters(value):
            raise Unfit("holds half a character")
        return text

    def of_postgresql(self, text: str) -> str:
        return self.of_sqlite(text)


class _Whole(Form):
    def __init__(self, column: Column[Any]) -> None:
        bits = 63 if isinstance(column.type, BigInteger) else 31
        self._range = range(-(2**bits), 2**bits)

    def of_sqlite(self, raw: Any) -> str:
        if not isinstance(raw, int):
            raise Unfit("is no whole number that a database can count with")
        if raw not in self._range:
            raise Unfit(f"is {raw}, and there is room for {self._range[0]} to {self._range[-1]}")
        return str(raw)

    def of_postgresql(self, text: str) -> str:
        return self.of_sqlite(int(text) if _WHOLE.fullmatch(text) else None)

    def for_sqlite(self, text: str) -> int:
        return int(text)


class _Yes(Form):
    def of_sqlite(self, raw: Any) -> str:
        if not isinstance(raw, int) or raw not in (0, 1):
            raise Unfit("is neither yes nor no")
        return "true" if raw else "false"

    def of_postgresql(self, text: str) -> str:
        return text

    def for_sqlite(self, text: str) -> int:
        return int(text == "true")


class _Double(Form):
    def of_sqlite(self, raw: Any) -> str:
        if not isinstance(raw, int | float) or not math.isfinite(raw):
            raise Unfit("is no finite number")
        return repr(float(raw) + 0.0)  # there is no -0.0 in SQLite

    def of_postgresql(self, text: str) -> str:
        return self.of_sqlite(float(text))

    def for_sqlite(self, text: str) -> float:
        return float(text)


class _Decimal(Form):
    def __init__(self, column: Column[Any]) -> None:
        self._scale = int(getattr(column.type, "scale", 0) or 0)
        self._room = 10 ** (int(getattr(column.type, "precision", 0) or 0) - self._scale)

    def of_sqlite(self, raw: Any) -> str:
        if not isinstance(raw, int | float) or not math.isfinite(raw):
            raise Unfit("is no finite number")
        text = f"{raw:.{self._scale}f}"
        if float(text) != float(raw):
            raise Unfit(f"has more than {self._scale} decimal places")
        return self.of_postgresql(text)

    def of_postgresql(self, text: str) -> str:
        try:
            value = Decimal(text)
        except InvalidOperation as error:
            raise Unfit("is no number") from error
        if not value.is_finite():
            raise Unfit("is no finite number")
        if abs(value) >= self._room:
            raise Unfit(f"is {value}, and there is room for less than {self._room}")
        return f"{value + 0:.{self._scale}f}"

    def for_sqlite(self, text: str) -> float:
        return float(text)


class _Day(Form):
    def of_sqlite(self, raw: Any) -> str:
        try:
            return date.fromisoformat(raw).isoformat()
        except (TypeError, ValueError) as error:
            raise Unfit("is no date of the calendar") from error

    def of_postgresql(self, text: str) -> str:
        return self.of_sqlite(text)


class _Moment(Form):
    def of_sqlite(self, raw: Any) -> str:
        try:
            moment = datetime.fromisoformat(raw)
            moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except (TypeError, ValueError, OverflowError) as error:
            raise Unfit("is no moment of the calendar") from error
        return moment.isoformat(timespec="microseconds")

    def of_postgresql(self, text: str) -> str:
        return self.of_sqlite(text)

    def for_sqlite(self, text: str) -> str:
        return text[:26].replace("T", " ")


class _Number(Form):
    """A number that names something: UUID."""

    def of_sqlite(self, raw: Any) -> str:
        if not isinstance(raw, str) or not _HEX.fullmatch(raw):
            raise Unfit("is no number of 32 hexadecimal digits in small letters")
        return raw

    def of_postgresql(self, text: str) -> str:
        return uuid.UUID(text).hex


FORMS: Mapping[type[Any], type[Form]] = {
    Uuid: _Number, Boolean: _Yes, JSON: _Json, UtcDateTime: _Moment, Date: _Day, Float: _Double, Numeric: _Decimal,
    Integer: _Whole, String: _Text,
}  # fmt: skip
"""The form of each type of column; of a type that is several of these, the first counts."""


def form(column: Column[Any]) -> Form:
    """How the values of a column are carried. Raises TypeError for a type that no table had yet."""
    for kind, found in FORMS.items():
        if isinstance(column.type, kind):
            return found(column)
    raise TypeError(f"{column}: say in FORMS how values of {column.type!r} are carried")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _whole_characters(value: Any) -> bool:
    """Whether all texts in a value can be written in UTF-8."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _indexed(column: Column[Any]) -> bool:
    table = column.table
    unique = [each for each in table.constraints if isinstance(each, UniqueConstraint)]
    keys: list[Any] = [table.primary_key, *unique, *table.indexes]
    return any(column.name in each.columns for each in keys if isinstance(each, Index) or each.columns)
