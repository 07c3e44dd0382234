"""What a harvester asks, read as OAI-PMH 2.0 wants it: verbs, their arguments, dates, and the tokens that go on.

A token holds the whole question and how far it was answered, in plain signs: nothing is kept here, so none runs out.
What is said to harvesters is in English, as the protocol is.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from kb.formats import oai
from kb.services.repository import Place, Wanted


class Arguments(NamedTuple):
    """The arguments that a verb must have, and those that it may have."""

    required: frozenset[str]
    optional: frozenset[str]


_LIST = Arguments(frozenset({"metadataPrefix"}), frozenset({"from", "until", "set", "resumptionToken"}))

VERBS = {
    "Identify": Arguments(frozenset(), frozenset()),
    "ListMetadataFormats": Arguments(frozenset(), frozenset({"identifier"})),
    "ListSets": Arguments(frozenset(), frozenset({"resumptionToken"})),
    "GetRecord": Arguments(frozenset({"identifier", "metadataPrefix"}), frozenset()),
    "ListIdentifiers": _LIST,
    "ListRecords": _LIST,
}
"""The six verbs of the protocol."""

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_SECOND = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_SET = re.compile(r"[A-Za-z0-9\-_.!~*'()]+(:[A-Za-z0-9\-_.!~*'()]+)*")
_PREFIX = re.compile(r"[A-Za-z0-9\-_.!~*'()]+")
_TOKEN_LIMIT = 1000


class Refused(Exception):
    """A question that the protocol has an error for: its code, and a sentence."""

    def __init__(self, code: str, sentence: str) -> None:
        self.code = code
        self.sentence = sentence
        super().__init__(sentence)


@dataclass(frozen=True)
class Listing:
    """A list that is asked for: `selecting` are its arguments as they were given, `place` is where the last part ended.

    `done` entries were given before.
    """

    verb: str
    selecting: dict[str, str]
    place: Place | None = None
    done: int = 0

    @property
    def wanted(self) -> Wanted:
        """The same for the repository. Raises Refused for a date or a set that cannot be read."""
        start, until = (self.selecting.get(name) for name in ("from", "until"))
        if start and until and len(start) != len(until):
            raise Refused("badArgument", "from and until must have the same granularity.")
        first, last = (_moment(name, self.selecting.get(name)) for name in ("from", "until"))
        if first and last and first > last:
            raise Refused("badArgument", "from is later than until.")
        name = self.selecting.get("set")
        if name is not None and not _SET.fullmatch(name):
            raise Refused("badArgument", "set holds signs that no set's name has.")
        return Wanted(first, _end(last, until), name)

    def token(self, place: Place | None, given: int) -> str:
        """The token that goes on from a place, after so many more entries; empty where nothing is left."""
        if place is None:
            return ""
        rest = [self.verb, self.selecting, place.moment.isoformat(), place.id.hex, self.done + given]
        return base64.urlsafe_b64encode(json.dumps(rest, separators=(",", ":")).encode()).decode().rstrip("=")


def check(pairs: Iterable[tuple[str, str]]) -> None:
    """Look whether the arguments of a question, the verb among them, are what the verb takes. Raises Refused."""
    given = list(pairs)
    verbs = [value for name, value in given if name == "verb"]
    if len(verbs) != 1 or verbs[0] not in VERBS:
        raise Refused("badVerb", f"Give verb once, as one of {', '.join(VERBS)}.")
    names, takes = [name for name, _value in given if name != "verb"], VERBS[verbs[0]]
    if len(set(names)) < len(names):
        raise Refused("badArgument", "An argument is given twice.")
    unknown = set(names) - takes.required - takes.optional
    if unknown:
        raise Refused("badArgument", f"{verbs[0]} takes no {_said(unknown)}.")
    if "resumptionToken" in names:
        if len(names) > 1:
            raise Refused("badArgument", "resumptionToken stands alone: it holds the other arguments.")
        return
    missing = takes.required - set(names)
    if missing:
        raise Refused("badArgument", f"{verbs[0]} needs {_said(missing)}.")
    _look(dict(given))


def _look(arguments: dict[str, str]) -> None:
    """Look whether dates, set and format can be read, then whether the format is there. Raises Refused."""
    if "from" in arguments or "until" in arguments or "set" in arguments:
        _ = listing(arguments).wanted
    prefix = arguments.get("metadataPrefix", oai.PREFIX)
    if not _PREFIX.fullmatch(prefix):
        raise Refused("badArgument", "metadataPrefix holds signs that no format's name has.")
    if prefix != oai.PREFIX:
        raise Refused("cannotDisseminateFormat", f"The one format that there is is {oai.PREFIX}.")


def listing(arguments: dict[str, str]) -> Listing:
    """The list that arguments of ListRecords or ListIdentifiers ask for. Raises Refused for a token that is none."""
    if "resumptionToken" in arguments:
        return _resumed(arguments["verb"], arguments["resumptionToken"])
    return Listing(arguments["verb"], {name: arguments[name] for name in ("from", "until", "set") if name in arguments})


def practice_id(base_url: str, text: str) -> uuid.UUID:
    """The practice that an identifier means. Raises Refused for what is no identifier of this repository."""
    try:
        id_ = uuid.UUID(text.rpartition(":")[2])
    except ValueError:
        id_ = uuid.UUID(int=0)
    if oai.identifier(base_url, str(id_)) != text or not id_.int:
        raise Refused("idDoesNotExist", "No item has this identifier.")
    return id_


def _resumed(verb: str, token: str) -> Listing:
    bad = Refused("badResumptionToken", "This is no token of a list that goes on here.")
    try:
        padded = token[:_TOKEN_LIMIT] + "=" * (-len(token[:_TOKEN_LIMIT]) % 4)
        said, selecting, moment, id_, done = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        read = datetime.fromisoformat(moment)
        place = Place(read.astimezone(UTC), uuid.UUID(id_))
        known = set(selecting) <= {"from", "until", "set"} and all(isinstance(each, str) for each in selecting.values())
        if said != verb or not known or read.tzinfo is None or not isinstance(done, int) or done < 1:
            raise bad
        resumed = Listing(verb, dict(selecting), place, done)
        _ = resumed.wanted
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError, binascii.Error, Refused):
        raise bad from None
    return resumed


def _moment(name: str, text: str | None) -> datetime | None:
    """The moment that a date means, a day its beginning. Raises Refused."""
    if text is None:
        return None
    if _DAY.fullmatch(text) or _SECOND.fullmatch(text):
        try:
            return datetime.fromisoformat(text).replace(tzinfo=UTC)
        except ValueError:
            pass
    raise Refused("badArgument", f"{name} must be a date, as 2026-11-22 or 2026-11-22T10:00:00Z.")


def _end(last: datetime | None, text: str | None) -> datetime | None:
    """The moment before which something must have changed: `until` takes in its whole day or second."""
    if last is None or text is None:
        return None
    try:
        return last + (timedelta(days=1) if _DAY.fullmatch(text) else timedelta(seconds=1))
    except OverflowError:  # the last day that there is
        return None


def _said(names: Iterable[str]) -> str:
    return ", ".join(sorted(name[:40] for name in names))
