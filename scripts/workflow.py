"""The page docs/workflow.md: the life of a practice, drawn from the table in kb/services/permissions.py.

`python -m scripts.permissions` writes it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from kb.models import State
from kb.services.permissions import TRANSITIONS, Public, Transition

PAGE = Path(__file__).parents[1] / "docs" / "workflow.md"

HEAD = """\
# The life of a practice

Drawn from `TRANSITIONS` in `kb/services/permissions.py` by `python -m scripts.permissions`; a test compares the two.
Change it there. What is not in that table cannot happen.

A practice has a working copy, which stands in one of the states below, and perhaps a public version, which is what
readers see. The public version stays while an update is written and reviewed. In short:

```mermaid
stateDiagram-v2
"""

BETWEEN = """\
```

Left out of the drawing, because they start almost anywhere: `unpublish` of a practice of which an update is being
written (the update stays where it is), `leave` (its owner deletes their account) and `redact` (an administrator removes
the text for good).

| State | What it means | Readers see |
| --- | --- | --- |
"""

MEANINGS = {
    State.DRAFT: "Being written; nobody but its authors sees it",
    State.SUBMITTED: "Waits for an editor",
    State.IN_REVIEW: "An editor reads it",
    State.CHANGES_REQUESTED: "Its author has questions to answer",
    State.PUBLISHED: "The working copy is what readers see",
    State.WITHDRAWN: "Put away by its owner, or taken offline by an editor",
    State.REJECTED: "An editor has turned it down and said why",
    State.ARCHIVED: "No longer maintained",
}

SEEN = {
    Public.NEVER: "nothing",
    Public.BEFORE: "nothing any more",
    Public.NOW: "the public version",
}

TABLE = """
## Every step

“Readers see” is what a step asks of the public side. `owner` is whoever the
practice belongs to ([who may do what](permissions.md)): its owner, the members of its organisation, and the editors
for a public practice of nobody. Nobody publishes what they wrote themselves while there is another editor; a mend that
an editor makes in a review does not count as writing.

"""

NOTE = """
Every step writes one entry of the audit log. Who else is concerned gets one mail: the editors for `submit`, the owner
for what an editor did with the practice, the other editor for `hand-over`; nobody is told what they did themselves.
Whatever changes what readers see leaves a note for the search index in the same transaction.
"""

LEFT_OUT = ("leave", "redact")


def page() -> str:
    """The whole page, in Markdown."""
    return HEAD + _drawing() + BETWEEN + "".join(_state(each) for each in State) + TABLE + table(_steps()) + NOTE


def possible(state: State) -> tuple[Public, ...]:
    """What readers may see while a working copy stands in a state."""
    fixed = {State.PUBLISHED: (Public.NOW,), State.ARCHIVED: (Public.BEFORE,)}
    put_away = (Public.NEVER, Public.BEFORE)
    fixed |= {State.WITHDRAWN: put_away, State.REJECTED: put_away}
    return fixed.get(state, tuple(Public))


def said(state: State) -> str:
    """A state as a word or two."""
    return state.value.replace("-", " ")


def table(rows: Iterable[tuple[str, ...]]) -> str:
    """A table in Markdown; the first row is its head."""
    head, *body = rows
    lines = [head, ("---",) * len(head), *body]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _drawing() -> str:
    names = [f'    state "{said(each)}" as {_key(each)}\n' for each in State]
    arrows: dict[tuple[State, State], list[str]] = {}
    for step in TRANSITIONS:
        if step.action not in LEFT_OUT and step.sources != (step.target,):
            for source in step.sources:
                arrows.setdefault((source, step.target), []).append(step.action)
    drawn = [f"    {_key(a)} --> {_key(b)}: {', '.join(actions)}\n" for (a, b), actions in arrows.items()]
    return "".join((*names, f"    [*] --> {_key(State.DRAFT)}: write\n", *drawn))


def _key(state: State) -> str:
    return state.value.replace("-", "_")


def _state(state: State) -> str:
    if state == State.ARCHIVED:
        seen = "its page with a notice; no list, search or export has it"
    else:
        seen = ", or ".join(SEEN[each] for each in possible(state))
    return f"| {said(state)} | {MEANINGS[state]} | {seen} |\n"


def _steps() -> Iterable[tuple[str, ...]]:
    yield ("Action", "From", "Readers see", "To", "Who", "What it means")
    for step in TRANSITIONS:
        yield (
            f"`{step.action}`",
            ", ".join(map(said, step.sources)) if len(step.sources) < len(State) else "any",
            ", or ".join(SEEN[each] for each in step.public) or "either",
            said(step.target),
            _who(step),
            step.meaning,
        )


def _who(step: Transition) -> str:
    return ", ".join(who.value for who in step.who)
