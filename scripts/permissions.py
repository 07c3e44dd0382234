"""Write docs/permissions.md from the tables of kb/services/permissions.py.

    python -m scripts.permissions

Each cell is what `can` answers, so the page cannot say anything else than the program does.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from kb.models import Practice, Role, State, User
from kb.services.permissions import ACTIONS, TRANSITIONS, can

PAGE = Path(__file__).parents[1] / "docs" / "permissions.md"

HEAD = """\
# Who may do what

Made from `kb/services/permissions.py` by `python -m scripts.permissions`; a test compares the two. Change it there.

A person holds one role; each role includes those before it. Whoever is disabled may do nothing: their sessions and
tokens end at once. What a public page shows is open to everybody and stands in no table.

## On the site

"""

OWNING = """
## To a practice

A practice is its owner's, who began it, and it is shared with the organisation that the owner belonged to then: the
organisation's members read, edit, submit and withdraw it as the owner does, and the audit log names who did. It stays
with that organisation when its owner goes elsewhere, and the owner keeps it. Merged organisations merge their
practices. A reader owns nothing, whatever they wrote before. To everybody whom the table does not let read a working
copy, it does not exist (404). Cells name the states in which something may be done.

"""

NOTE = """
An editor who owns a practice, or wrote in a colleague's, may do what both columns say, but another editor publishes it,
where there is one.
"""

ORGANISATION = uuid.UUID(int=1)


def _person(role: Role, number: int, organisation: uuid.UUID | None = None) -> User:
    return User(id=uuid.UUID(int=number), role=role, active=True, organisation_id=organisation)


OWNER = _person(Role.MEMBER, 2)
SITE: dict[str, User | None] = {
    "Signed out": None,
    "Reader": _person(Role.READER, 3),
    "Member": _person(Role.MEMBER, 3),
    "Editor": _person(Role.EDITOR, 3),
    "Administrator": _person(Role.ADMIN, 3),
}
PRACTICE: dict[str, list[User]] = {
    "Owner, or member of its organisation": [OWNER, _person(Role.MEMBER, 4, ORGANISATION)],
    "Other member": [_person(Role.MEMBER, 5)],
    "Editor": [_person(Role.EDITOR, 6)],
    "Administrator": [_person(Role.ADMIN, 7)],
}
ORPHAN = "Editor, of a public practice without an owner"


def page() -> str:
    """The whole page, in Markdown."""
    return HEAD + _table(_site()) + OWNING + _table(_practice()) + NOTE


def _site() -> Iterable[tuple[str, ...]]:
    yield ("Action", "What it means", *SITE)
    for each in ACTIONS:
        if not each.states:
            yield f"`{each.name}`", each.meaning, *("yes" if can(who, each.name) else "–" for who in SITE.values())


def _practice() -> Iterable[tuple[str, ...]]:
    yield ("Action", "What it means", "Then it is", *PRACTICE, ORPHAN)
    steps = {each.action: (each.meaning, each.target.value.replace("-", " ")) for each in TRANSITIONS}
    rest = {each.name: (each.meaning, "as before") for each in ACTIONS if each.states}
    for name, (meaning, after) in {**rest, **steps}.items():
        yield f"`{name}`", meaning, after, *(_states(name, people) for people in PRACTICE.values()), _orphan(name)


def _states(action: str, people: Iterable[User]) -> str:
    """The states in which all these people may do something to Alice's practice; they have to agree."""
    said = {_named(partial(_may, who, action)) for who in people}
    assert len(said) == 1, f"one column, two answers: {action}"
    return said.pop()


def _may(who: User, action: str, state: State) -> bool:
    return can(who, action, Practice(state=state, version=1, owner_id=OWNER.id, organisation_id=ORGANISATION))


def _orphan(action: str) -> str:
    editor = PRACTICE["Editor"][0]
    return _named(lambda state: can(editor, action, Practice(state=state, version=1)))


def _named(holds: Callable[[State], bool]) -> str:
    states = [state.value.replace("-", " ") for state in State if holds(state)]
    return "always" if len(states) == len(State) else ", ".join(states) or "–"


def _table(rows: Iterable[tuple[str, ...]]) -> str:
    head, *body = rows
    lines = [head, ("---",) * len(head), *body]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE.relative_to(Path.cwd())} is written.")
