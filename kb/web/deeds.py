"""What the audit log's actions are called on the pages."""

from __future__ import annotations

from flask_babel import gettext

from kb.services.errors import N_

DEEDS = {
    "address.ask": N_("Asked for another e-mail address"),
    "contact.change": N_("Changed a practice’s contact"),
    "comment.answer": N_("Answered a question on a field"),
    "comment.reopen": N_("Reopened a question on a field"),
    "comment.settle": N_("Settled a question on a field"),
    "claim.decide": N_("Decided on a claim of a practice"),
    "claim.make": N_("Claimed a practice"),
    "contact.withdraw": N_("Withdrew a contact’s consent, or the contact"),
    "file.add": N_("Uploaded a picture or document to a practice"),
    "invitation.accept": N_("Accepted an invitation"),
    "invitation.send": N_("Sent an invitation"),
    "invitation.withdraw": N_("Took an invitation back"),
    "link.make": N_("Made a one-time link"),
    "link.use": N_("Used a one-time link"),
    "mail.give-up": N_("Gave up a mail"),
    "mail.retry": N_("Tried a mail again"),
    "organisation.add": N_("Added an organisation"),
    "organisation.change": N_("Changed an organisation"),
    "organisation.merge": N_("Merged an organisation into another"),
    "practice.abandon": N_("Put a draft away"),
    "practice.archive": N_("Archived a practice"),
    "practice.discard-update": N_("Gave an update up"),
    "practice.hand-over": N_("Gave a review to another editor"),
    "practice.import": N_("Imported a practice"),
    "practice.leave": N_("Left a practice with their account"),
    "practice.escalate": N_("Told the editors that nobody has confirmed a practice"),
    "practice.mend": N_("Mended the text of a submission"),
    "practice.merge": N_("Merged a practice into another"),
    "practice.unmerge": N_("Undid a merge of practices"),
    "practice.publish": N_("Published a practice"),
    "practice.redact": N_("Removed the text of a version"),
    "practice.reject": N_("Turned a submission down"),
    "practice.release": N_("Put a review back into the queue"),
    "practice.republish": N_("Put a practice online again"),
    "practice.remind": N_("Asked an owner whether a practice is still correct"),
    "practice.request-changes": N_("Asked for changes to a practice"),
    "practice.restore": N_("Took a practice out of the archive"),
    "practice.restore-text": N_("Brought an earlier text of a practice back"),
    "practice.resume": N_("Took up a practice that was put away"),
    "practice.save": N_("Saved a draft of a practice"),
    "practice.start": N_("Began a practice"),
    "practice.start-update": N_("Began an update of a practice"),
    "practice.submit": N_("Submitted a practice"),
    "practice.take": N_("Took a practice up for review"),
    "practice.unpublish": N_("Took a practice offline"),
    "practice.verify": N_("Said that a practice is still correct"),
    "practice.withdraw": N_("Took a submission back"),
    "registration.ask": N_("Asked for an account"),
    "registration.confirm": N_("Confirmed an address for an account"),
    "registration.decide": N_("Decided on a registration"),
    "report.close": N_("Closed a report of an error"),
    "report.make": N_("Reported an error"),
    "reset.ask": N_("Asked for a new password"),
    "second-factor.codes": N_("Made new recovery codes"),
    "second-factor.off": N_("Switched a second factor off"),
    "second-factor.on": N_("Set a second factor up"),
    "second-factor.recovered": N_("Signed in with a recovery code"),
    "session.end": N_("Ended a session of their own"),
    "session.end-others": N_("Ended their other sessions"),
    "term.add": N_("Added a theme or target group"),
    "term.edit": N_("Edited a theme or target group"),
    "term.merge": N_("Merged a theme or target group into another"),
    "token.make": N_("Made a token for the API"),
    "user.add": N_("Added an account"),
    "user.address": N_("Changed an e-mail address"),
    "user.change": N_("Changed somebody’s name, organisation or region"),
    "user.data": N_("Downloaded a copy of their own data"),
    "user.delete": N_("Deleted an account"),
    "user.disable": N_("Disabled an account"),
    "user.enable": N_("Enabled an account again"),
    "user.end-sessions": N_("Signed somebody out everywhere"),
    "user.notify": N_("Chose which mail comes"),
    "user.password": N_("Set a password"),
    "user.profile": N_("Changed their own name or region"),
    "user.role": N_("Changed a role"),
    "user.sign-in": N_("Signed in"),
    "user.sign-out": N_("Signed out"),
}
"""Every action, in the past tense: the page says who before, and which object after."""

KINDS = {
    "user": N_("account"),
    "practice": N_("practice"),
    "invitation": N_("invitation"),
    "registration": N_("registration"),
    "organisation": N_("organisation"),
    "mail": N_("mail"),
    "theme": N_("theme"),
    "target_group": N_("target group"),
}
"""What the kinds of object are called."""


def deed(code: str) -> str:
    """What an action or a kind of object is called; the code itself where it has no name."""
    name = DEEDS.get(code) or KINDS.get(code)
    return gettext(name) if name else code
