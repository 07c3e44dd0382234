"""The outbox: what is to be mailed is written in the transaction that gives the reason, and sent afterwards.

Here is only what goes in. A message is a kind and what its text is made of; words and layout are made when it is sent,
in the recipient's language.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from kb.models import MailMessage, User


@dataclass(frozen=True)
class Kind:
    """A kind of mail: what `data` its text needs, and whether people may ask not to get it.

    `beside` is data that no text names: what the sending has to know.
    """

    name: str
    needs: tuple[str, ...] = ()
    optional: bool = False
    beside: tuple[str, ...] = ()


KINDS = {
    kind.name: kind
    for kind in (
        Kind("invitation", ("url", "inviter", "role", "days")),
        Kind("registration-confirm", ("url",)),
        Kind("registration-waiting", ("name", "url"), optional=True),
        Kind("registration-accepted", ("url",)),
        Kind("registration-refused"),
        Kind("registration-known", ("url",)),
        Kind("reset", ("url",)),
        Kind("address-confirm", ("url",)),
        Kind("address-changed", ("address",)),
        Kind("password-changed"),
        Kind("second-factor-changed", ("change",)),
        Kind("account-deleted"),
        Kind("offer-co-author", ("title", "inviter", "url", "days")),
        Kind("offer-owner", ("title", "inviter", "url", "days")),
        Kind("offer-accepted", ("title", "name", "url")),
        Kind("practice-waiting", ("title", "url"), optional=True),
        Kind("practice-changes-requested", ("title", "url", "message")),
        Kind("practice-published", ("title", "url")),
        Kind("practice-answered", ("title", "url", "message")),
        Kind("practice-mended", ("title", "url", "message")),
        Kind("practice-rejected", ("title", "url", "message")),
        Kind("practice-handed-over", ("title", "url")),
        Kind("practice-archived", ("title", "url", "message")),
        Kind("practice-unpublished", ("title", "url", "message")),
        Kind("report-made", ("title", "url", "message"), optional=True),
        Kind("practice-reported", ("title", "url", "message")),
        Kind("report-answered", ("title", "url", "message")),
        Kind("owner-message", ("title", "name", "address", "topic", "message", "url"), beside=("reply_to",)),
        Kind("owner-message-unsigned", ("title", "topic", "message", "url")),
        Kind("practice-review-due", ("title", "url")),
        Kind("practices-review-due", ("number", "message", "url")),
        Kind("practices-stale", ("number", "message", "url"), optional=True),
        Kind("links-broken", ("number", "message", "url")),
        Kind("claim-made", ("title", "url", "name"), optional=True),
        Kind("claim-accepted", ("title", "url", "message")),
        Kind("claim-refused", ("title", "url", "message")),
        Kind("claim-given", ("title", "url")),
        Kind("claim-merged", ("title", "url")),
        Kind("practice-merged", ("title", "other", "url")),
        Kind("practice-joined", ("title", "other", "url")),
        Kind("practices-given", ("number", "message", "url")),
        Kind("practices-passed-on", ("number", "message", "url")),
        Kind("reviews-given", ("number", "message", "url")),
        Kind("adoption-made", ("title", "region", "url", "message")),
        Kind("adoption-waiting", ("title", "region", "url", "message"), optional=True),
        Kind("adoption-changed", ("title", "region", "url", "message")),
        Kind("adoption-withdrawn", ("title", "region", "url")),
        Kind("adoption-confirmed", ("title", "region", "url", "message")),
        Kind("adoption-refused", ("title", "region", "url", "message")),
        Kind("adoption-ended", ("title", "region", "url", "message")),
        Kind("practices-harvested", ("source", "added", "updated", "waiting", "gone", "url"), optional=True),
        Kind("search-news", ("search", "number", "news", "url"), optional=True, beside=("search_id",)),
    )
}
"""Every kind of mail there is. What is not optional is about one's own account or one's own practice."""


def tell(
    session: Session, kind: str, address: str, /, *, user: User | None = None, language: str = "en", **data: Any
) -> MailMessage | None:
    """Put a mail into the outbox in the caller's transaction; None where the person asked for no such mail.

    `user` is whose account it is about, if there is one: the mail is in their language. Raises KeyError for a kind that
    there is not, ValueError where its data is not what it needs.
    """
    wanted = KINDS[kind]
    if set(data) != {*wanted.needs, *wanted.beside}:
        raise ValueError(f"a mail of kind {kind} needs {wanted.needs + wanted.beside}, not {tuple(data)}")
    if user is not None and wanted.optional and not user.notify:
        return None
    message = MailMessage(
        message_id=uuid.uuid4().hex,
        kind=kind,
        address=address,
        user_id=user.id if user else None,
        language=user.language if user else language,
        data=data,
    )
    session.add(message)
    return message
