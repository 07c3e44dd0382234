"""What a service says when it refuses: plain sentences that can be translated, and nothing about HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


def N_(text: str) -> str:
    """Mark a sentence for the translators; whoever shows it translates it."""
    return text


class Label(str):
    """A word inside a message that is itself to be translated, such as a field's name."""

    __slots__ = ()


def _same(text: str) -> str:
    return text


@dataclass(frozen=True)
class Message:
    """A sentence with named gaps (`%(name)s`) and what fills them."""

    text: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def render(self, translate: Callable[[str], str] = _same) -> str:
        """Return the sentence, translated by `translate`, its gaps filled."""
        values = {name: translate(value) if isinstance(value, Label) else value for name, value in self.values.items()}
        return translate(self.text) % values if values else translate(self.text)

    def __str__(self) -> str:
        return self.render()


@dataclass(frozen=True)
class Problem:
    """One thing wrong with one field. `field` is a path such as `summary` or `sources.0.url`, empty for the whole."""

    field: str
    message: Message

    @classmethod
    def of(cls, field: str, text: str, **values: Any) -> Problem:
        """Make a problem from a sentence and its gaps."""
        return cls(field, Message(text, values))


class ServiceError(Exception):
    """A refusal, with a sentence for the person who asked."""

    def __init__(self, text: str, **values: Any) -> None:
        self.message = Message(text, values)
        super().__init__(str(self.message))


class NotFound(ServiceError):
    """There is no such thing, or this person may not know of it."""


class NotAllowed(ServiceError):
    """This person may not do that."""


class Conflict(ServiceError):
    """It clashes with what is there, or came too late."""


class Gone(ServiceError):
    """It was there once, and is no more."""


class Moved(ServiceError):
    """It is part of the practice with another `slug` by now."""

    def __init__(self, slug: str) -> None:
        super().__init__(N_("This practice was merged into another."))
        self.slug = slug


class Unavailable(ServiceError):
    """It cannot be done just now, through nobody's fault: a full disk, a helper that does not answer."""


class TooMany(ServiceError):
    """Asked too often; `retry_after` says in seconds when to come back."""

    def __init__(self, text: str, retry_after: int, **values: Any) -> None:
        super().__init__(text, **values)
        self.retry_after = retry_after


class Invalid(ServiceError):
    """Something given is not acceptable; `problems` says what, field by field."""

    def __init__(self, problems: list[Problem] | tuple[Problem, ...]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{p.field}: {p.message}" if p.field else str(p.message) for p in self.problems))
