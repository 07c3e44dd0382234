"""Write docs/permissions.md and docs/workflow.md from the tables of kb/services/permissions.py.

    python -m scripts.permissions

Each cell is what `can` answers, so the pages cannot say anything else than the program does.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from kb.models import Practice, PracticeAuthor, Record, Role, State, User
from kb.services.permissions import ACTIONS, TRANSITIONS, Public, can
from scripts import workflow

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
practices. Co-authors, who took up an offer by mail, may do the same. Only the owner, or an editor where there is none,
takes a co-author's part away or gives the practice to somebody else, whose organisation then shares it. A reader
owns nothing, whatever they wrote before. To everybody whom the table does not let read a working copy, it does not
exist (404). Cells name the states in which something may be done; where it matters too whether readers see a version,
[the workflow](workflow.md) says so.

"""

NOTE = """
An editor who owns a practice, or wrote in a colleague's, may do what both columns say, but another editor publishes it
and puts it online again, where there is one. Nor does an editor give practices to themselves, while there is another.
What an editor gives to somebody new comes without the update that was not sent, the contact and the earlier drafts.
"""

ORGANISATION = uuid.UUID(int=1)


def _person(role: Role, number: int, organisation: uuid.UUID | None = None) -> User:
    return User(id=uuid.UUID(int=number), role=role, active=True, organisation_id=organisation)


OWNER = _person(Role.MEMBER, 2)
CO_AUTHOR = _person(Role.MEMBER, 8)
SITE: dict[str, User | None] = {
    "Signed out": None,
    "Reader": _person(Role.READER, 3),
    "Member": _person(Role.MEMBER, 3),
    "Editor": _person(Role.EDITOR, 3),
    "Administrator": _person(Role.ADMIN, 3),
}
PRACTICE: dict[str, list[User]] = {
    "Owner, co-author, or member of its organisation": [OWNER, CO_AUTHOR, _person(Role.MEMBER, 4, ORGANISATION)],
    "Other member": [_person(Role.MEMBER, 5)],
    "Editor": [_person(Role.EDITOR, 6)],
    "Administrator": [_person(Role.ADMIN, 7)],
}
ORPHAN = "Editor, of a practice without an owner"


def page() -> str:
    """The whole page, in Markdown."""
    return HEAD + workflow.table(_site()) + OWNING + workflow.table(_practice()) + NOTE


def _site() -> Iterable[tuple[str, ...]]:
    yield ("Action", "What it means", *SITE)
    for each in ACTIONS:
        if not each.states:
            yield f"`{each.name}`", each.meaning, *("yes" if can(who, each.name) else "–" for who in SITE.values())


def _practice() -> Iterable[tuple[str, ...]]:
    yield ("Action", "What it means", "Then it is", *PRACTICE, ORPHAN)
    rest = {each.name: (each.meaning, "as before") for each in ACTIONS if each.states}
    for name, (meaning, after) in {**rest, **_steps()}.items():
        yield f"`{name}`", meaning, after, *(_states(name, people) for people in PRACTICE.values()), _orphan(name)


def _steps() -> dict[str, tuple[str, str]]:
    """What each step of the workflow means, and where it leads from anywhere."""
    steps: dict[str, tuple[str, str]] = {}
    for each in TRANSITIONS:
        meaning, after = steps.get(each.action, (each.meaning, ""))
        target = "as before" if each.sources == (each.target,) else workflow.said(each.target)
        steps[each.action] = (meaning, after if target in after else " or ".join(filter(None, (after, target))))
    return steps


def _states(action: str, people: Iterable[User]) -> str:
    """The states in which all these people may do something to Alice's practice; they have to agree."""
    said = {_named(partial(_may, who, action)) for who in people}
    if len(said) > 1:
        raise ValueError(f"one column, two answers: {action}")
    return said.pop()


def _may(who: User, action: str, state: State) -> bool:
    return any(can(who, action, each) for each in _standing(state, OWNER.id, ORGANISATION))


def _orphan(action: str) -> str:
    editor = PRACTICE["Editor"][0]
    return _named(lambda state: any(can(editor, action, each) for each in _standing(state)))


def _standing(
    state: State, owner_id: uuid.UUID | None = None, organisation_id: uuid.UUID | None = None
) -> Iterable[Practice]:
    """A practice in a state, in each way in which readers may see it then."""
    for public in workflow.possible(state):
        yield Practice(
            state=state,
            version=int(public != Public.NEVER),
            record=Record() if public == Public.NOW else None,
            owner_id=owner_id,
            organisation_id=organisation_id,
            authors=[PracticeAuthor(user_id=CO_AUTHOR.id)] if owner_id else [],
        )


def _named(holds: Callable[[State], bool]) -> str:
    states = [workflow.said(state) for state in State if holds(state)]
    return "always" if len(states) == len(State) else ", ".join(states) or "–"


if __name__ == "__main__":
    for path, text in ((PAGE, page()), (workflow.PAGE, workflow.page())):
        path.write_text(text, encoding="utf-8")
        print(f"{path.relative_to(Path.cwd())} is written.")
