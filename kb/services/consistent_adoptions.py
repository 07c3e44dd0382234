"""Whether adoptions agree with the rest: with the practices they are of, with who is still here, with one another."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from kb.models import Adoption, Practice, User
from kb.services import adoption_graph


def faults(session: Session) -> Iterator[str]:
    """What is wrong with adoptions, a sentence each."""
    of_nothing = select(Adoption, Practice.title).join(Practice, Practice.id == Adoption.practice_id)
    for adoption, title in session.execute(of_nothing.where(Practice.version == 0)):
        yield (
            f"{adoption.region_code} takes up “{title}”, which was never public: nobody sees that. Take the row out of "
            "the table adoptions."
        )
    left = select(Adoption).join(User, User.id == Adoption.user_id).where(User.deleted.is_not(None))
    for adoption in session.scalars(left):
        yield f"The adoption {adoption.id} names somebody whose account is deleted. Delete that account once more."
    for chain in adoption_graph.circles(session):
        yield (
            f"Practices come from themselves: {' is adapted from '.join(chain)}. Change one of them, or withdraw the "
            "adoption of which it came."
        )
