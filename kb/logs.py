"""Logs: a record a line, as JSON for programs or as text for a terminal, with the request's number, and nobody's data.

Three things keep people out of the log. Messages of this program name numbers and kinds, not persons. What is filled
into a message, and what an exception says, is searched for addresses of mail, for secrets, and for whatever the request
brought along. Statements are logged without their values (`kb/db.py`).
"""

from __future__ import annotations

import json
import logging
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

OURS = ("kb.", "alembic")
"""Beginnings of the names of loggers whose messages hold nothing of a request but in what is filled in."""

LEFT_OUT = "[left out]"

LEAST = 4
"""Letters from which a word that a request brought along is looked for: shorter ones stand in every sentence."""

SHORT = 200
"""Characters up to which each word of a text counts for itself; of a long text most words stand in any sentence."""

MOST = 2000
"""Characters that are kept of what is filled in, and of what one exception says."""

_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""What every record has; whatever else one has are its fields."""

_PATH = re.compile(r"/[^\s'\"]*|ip=\S+")
"""What libraries name of a request: its address and where it came from."""

_PIECE = re.compile(r"[^\s<>\"'(),;:=]+")
"""What stands between blanks, quotes and brackets: an address of mail is one. Each letter is looked at once."""

_LONG = re.compile(r"[\w-]{32,}")

_WORD = re.compile(rf"\w{{{LEAST},}}")

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

_CAUSE = "\nThe above exception was the direct cause of the following exception:\n\n"
_CONTEXT = "\nDuring handling of the above exception, another exception occurred:\n\n"

Clean = Callable[[str], str]


@dataclass(frozen=True)
class Asked:
    """The request that this thread answers: its number, and what yields the words that it brought along."""

    number: str
    words: Callable[[], Iterable[str]] = tuple


_asked: ContextVar[Asked | None] = ContextVar("kb_asked", default=None)


def begin(asked: Asked) -> None:
    """Say which request this thread answers from now on."""
    _asked.set(asked)


def end() -> None:
    """Say that this thread answers no request any more."""
    _asked.set(None)


def request_number() -> str:
    """The number of the request that this thread answers; empty outside one."""
    asked = _asked.get()
    return asked.number if asked else ""


def set_up(form: str) -> None:
    """Let all records of this process go to standard error, as `text` or `json`. Called again it changes the form."""
    root = logging.getLogger()
    handler = next((each for each in root.handlers if isinstance(each, _ToStandardError)), None)
    if handler is None:
        handler = _ToStandardError()
        root.addHandler(handler)
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    logging.getLogger("kb").setLevel(logging.INFO)  # of the libraries, warnings


class _ToStandardError(logging.Handler):
    """Writes to what standard error is at that moment, each record by one call: several processes write there."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except Exception:
            self.handleError(record)


class JsonLines(logging.Formatter):
    """A record as an object of JSON on one line.

    Keys: time (UTC, ISO 8601), level, logger, message, process, request where there is one, the record's own fields,
    exception (a text of several lines) where there is one.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        clean = _cleaner(record)
        line: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record, clean),
            "process": record.process,
        }
        if number := request_number():
            line["request"] = number
        line |= {name: value for name, value in _fields(record) if name not in line}
        if told := _exception(record, clean):
            line["exception"] = told
        return json.dumps(line, default=str)


class TextLines(logging.Formatter):
    """A record as text: time (UTC), level, logger, the request's number in brackets, message, fields; then a trace."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, and those of the exception."""
        clean = _cleaner(record)
        number = request_number()
        words = [_time(record), record.levelname, record.name, *([f"[{number}]"] if number else [])]
        words += [_message(record, clean), *(f"{name}={value}" for name, value in _fields(record))]
        line = _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", " ".join(words))
        told = _exception(record, clean)
        return f"{line}\n{told}" if told else line


def cleaner() -> Clean:
    """What takes out of a text addresses of mail, secrets, and what the present request brought along."""
    asked = _asked.get()
    brought = set(asked.words()) if asked else set()
    lines = sorted({line for text in brought for line in text.splitlines()}, key=len, reverse=True)
    words = {word.casefold() for text in brought if len(text) <= SHORT for word in _WORD.findall(text)}

    def clean(text: str) -> str:
        text = _LONG.sub(_without_secret, _PIECE.sub(_without_address, _cut(text)))
        for line in lines:
            text = text.replace(line, LEFT_OUT) if len(line) >= LEAST else text
        return _WORD.sub(lambda found: LEFT_OUT if found[0].casefold() in words else found[0], text)

    return clean


def _cut(text: str) -> str:
    """The beginning of a text, up to the end of a word: half an address would not be known as one."""
    return text if len(text) <= MOST else f"{text[:MOST].rpartition(' ')[0]} …"


def _without_address(found: re.Match[str]) -> str:
    name, at, host = found[0].rpartition("@")
    return "[address]" if name and at and "." in host else found[0]


def _without_secret(found: re.Match[str]) -> str:
    """A token, or a part of a link or cookie, has capitals, small letters and digits; the hash of a file has not."""
    word = found[0]
    mixed = any(map(str.isupper, word)) and any(map(str.islower, word)) and any(map(str.isdigit, word))
    return "[secret]" if mixed else word


def _cleaner(record: logging.LogRecord) -> Clean:
    """The same where a record has anything to be cleaned; most have not."""
    plain = isinstance(record.msg, str) and not record.args and not record.exc_info and record.name.startswith(OURS)
    return str if plain else cleaner()


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _fields(record: logging.LogRecord) -> Iterator[tuple[str, Any]]:
    return ((name, value) for name, value in vars(record).items() if name not in _PLAIN)


def _message(record: logging.LogRecord, clean: Clean) -> str:
    """The message, with what is filled in cleaned; its own words are the program's, and stay.

    Of a library's message nobody knows what of it was filled in.
    """
    if not record.name.startswith(OURS):
        return _PATH.sub("[path]", clean(record.getMessage()))
    given = record.args
    if not given:
        return record.msg if isinstance(record.msg, str) else clean(str(record.msg))
    filled: Any = (
        {name: _filled(value, clean) for name, value in given.items()}
        if isinstance(given, Mapping)
        else tuple(_filled(value, clean) for value in given)
    )
    try:
        return str(record.msg) % filled
    except (TypeError, ValueError, KeyError):  # a message that is wrong itself still says something
        return str(record.msg)


def _filled(value: object, clean: Clean) -> object:
    return value if value is None or isinstance(value, int | float) else clean(str(value))


def _exception(record: logging.LogRecord, clean: Clean) -> str:
    """The trace as Python shows it, with what the exceptions say cleaned; empty where there is none."""
    error = record.exc_info[1] if record.exc_info else None
    if error is None:
        return ""
    return "".join(_told(traceback.TracebackException.from_exception(error), clean)).rstrip("\n")


def _told(error: traceback.TracebackException, clean: Clean) -> Iterator[str]:
    if error.__cause__ is not None:
        yield from _told(error.__cause__, clean)
        yield _CAUSE
    elif error.__context__ is not None and not error.__suppress_context__:
        yield from _told(error.__context__, clean)
        yield _CONTEXT
    if error.stack:
        yield "Traceback (most recent call last):\n"
        yield from error.stack.format()
    yield clean("".join(error.format_exception_only()).rstrip("\n")) + "\n"
    for inner in error.exceptions or ():
        yield from _told(inner, clean)
