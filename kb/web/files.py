"""Images and attachments: bringing them to a practice, on a page apart from its text, and reading them."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, send_file, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask.wrappers import Response
from flask_babel import format_decimal
from flask_babel import gettext as _
from slugify import slugify
from sqlalchemy.exc import OperationalError
from werkzeug.datastructures import MultiDict

from kb.models import Practice, Role
from kb.services import files, permissions, practice_files, practices, previews, shown_files
from kb.services.checking import IMAGE_TYPES
from kb.services.errors import N_, Conflict, Invalid, NotFound, Problem, ServiceError, TooMany, Unavailable
from kb.services.files import Kind, Store
from kb.services.limits import UPLOAD_BODY_LIMIT, UPLOAD_LIMIT, Asking
from kb.services.practice_files import Words
from kb.services.shown_files import KEYS, Shown
from kb.services.values import FILE_LIMIT
from kb.web import accounts, context, keeping, languages
from kb.web.returning import restorers

bp = Blueprint("files", __name__)

log = logging.getLogger(__name__)

PRINTED = {
    "image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WebP", "application/pdf": "PDF",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "Word (DOCX)",
    "application/vnd.oasis.opendocument.text": "OpenDocument (ODT)",
}  # fmt: skip
"""What people call the types."""

SANDBOX = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"
"""What a file may do in a browser, should one show it: nothing."""

BUSY = N_("The site is busy and could not take the file. Your words are below: choose the file again in a minute.")

PUBLIC = "public, max-age=300, must-revalidate"
"""How long caches keep a public file unasked: not long, for what was public can be taken offline or removed."""

UPLOADS = ("files.upload", "importing.upload")
"""The views that take a file."""

CHANGES = ("save", "up", "down", "remove")


def let_in() -> None:
    """Let the body of an upload be larger than any other, for whoever is signed in, or was until a moment ago."""
    if request.method == "POST" and request.endpoint in UPLOADS and accounts.TOKEN in cookie:
        request.max_content_length = UPLOAD_BODY_LIMIT


# Bringing them


@bp.get("/my/practices/<uuid:practice_id>/files")
@accounts.required(Role.READER)
def page(practice_id: uuid.UUID) -> ResponseReturnValue:
    """A practice's images and attachments, and the forms that add one."""
    practice = _own(practice_id)
    if not permissions.can(accounts.current(), "edit", practice):
        return redirect(url_for("submissions.edit", practice_id=practice_id))
    return _page(practice_id)


@bp.post("/my/practices/<uuid:practice_id>/files")
@keeping.words
@accounts.required(Role.READER)
def upload(practice_id: uuid.UUID) -> ResponseReturnValue:
    """Take a file in; where that cannot be, give the form back with its words and say why."""
    kind = _kind()
    _own(practice_id)
    try:
        _take(practice_id, kind)
    except Invalid as invalid:
        return _page(practice_id, f"new-{kind}", invalid.problems), 422
    except (Conflict, TooMany, Unavailable) as refused:
        return _refused(practice_id, kind, refused)
    except OperationalError:
        return _refused(practice_id, kind, Unavailable(BUSY))
    flash(
        _("The picture is with the practice now.") if kind == "image" else _("The document is with the practice now.")
    )
    return redirect(url_for("files.page", practice_id=practice_id) + f"#{KEYS[kind]}")


@bp.post("/my/practices/<uuid:practice_id>/files/<sha256>")
@keeping.words
@accounts.required(Role.READER)
def change(practice_id: uuid.UUID, sha256: str) -> ResponseReturnValue:
    """Say something else about a file, show it earlier or later, or no longer."""
    kind, do = _kind(), request.form.get("do", "save")
    if do not in CHANGES:
        abort(400)
    try:
        with context.writing() as session:
            actor = accounts.acting(session)
            practice = practices.get(session, actor, practice_id)
            if do == "save":
                practice_files.describe(session, actor, practice, kind, sha256, _words())
            elif do == "remove":
                practice_files.remove(session, actor, practice, kind, sha256)
            else:
                practice_files.move(session, actor, practice, kind, sha256, -1 if do == "up" else 1)
    except Invalid as invalid:
        return _page(practice_id, f"f-{sha256[:12]}", invalid.problems), 422
    flash(_("The file is removed.") if do == "remove" else _("The change is saved."))
    return redirect(url_for("files.page", practice_id=practice_id) + f"#{KEYS[kind]}")


def _take(practice_id: uuid.UUID, kind: Kind) -> None:
    """Look into the file that was sent while no transaction is open, then keep it."""
    sent, words = request.files.get("file"), _words()
    problems: list[Problem] = []
    if sent is None or not sent.filename:
        problems.append(Problem.of("file", N_("Choose a file.")))
    try:
        practice_files.check_words(kind, words)
    except Invalid as invalid:
        problems += invalid.problems
    if problems or sent is None:
        raise Invalid(problems)
    session = context.reading()
    actor = accounts.acting(session)
    practice_files.check_room(session, actor, practices.get(session, actor, practice_id), kind)
    _count().hit("", str(actor.id))
    context.release()
    store = _store()
    with files.receive(store, sent.stream, sent.filename or "", kind) as taken, context.writing() as session:
        actor = accounts.acting(session)
        practice = practices.get(session, actor, practice_id)
        practice_files.add(session, actor, store, practice, kind, taken, words)


def _refused(practice_id: uuid.UUID, kind: Kind, refused: ServiceError) -> Response:
    """The form again, with why the file cannot be taken now."""
    html = _page(practice_id, f"new-{kind}", [Problem("file", refused.message)])
    status = {Conflict: 409, TooMany: 429}.get(type(refused), 503)
    after = {"Retry-After": str(getattr(refused, "retry_after", 60))} if status != 409 else {}
    return make_response(html, status, after)


def _restored(pairs: MultiDict[str, str], practice_id: uuid.UUID) -> ResponseReturnValue:
    """The page with the words that were sent after the session had ended; the file has to be chosen again."""
    kind = "attachment" if pairs.get("kind") == "attachment" else "image"
    flash(_("You are signed in again and your words are back. Choose the file once more, then upload it."))
    return _page(practice_id, f"new-{kind}", typed=pairs)


restorers["files.upload"] = _restored
keeping.restorer("files.change", N_("You are signed in again and your words are back. They are not saved yet."))


def _page(
    practice_id: uuid.UUID,
    at: str = "",
    problems: tuple[Problem, ...] | list[Problem] = (),
    typed: MultiDict[str, str] | None = None,
) -> str:
    """The page; `at` is the form that was sent, which keeps what was typed, and `problems` are what is wrong in it."""
    session = context.reading()
    practice = _own(practice_id)
    document = practices.working_copy(session, practice)
    return render_template(
        "submissions/files_page.html",
        practice=practice,
        document=document,
        stored=shown_files.stored(session, document),
        at=at,
        typed=(request.form if typed is None else typed) if at else {},
        problems=[(f"{at}-{problem.field}", languages.say(problem.message)) for problem in problems],
        room={kind: practice_files.MOST - len(document[key]) for kind, key in KEYS.items()},
        most=practice_files.MOST,
        megabytes=FILE_LIMIT // 1024**2,
    )


def _own(practice_id: uuid.UUID) -> Practice:
    session = context.reading()
    return practices.get(session, accounts.acting(session), practice_id)


def _kind() -> Kind:
    kind = request.form.get("kind", "image")
    if kind not in ("image", "attachment"):
        abort(400)
    return "image" if kind == "image" else "attachment"


def _words() -> Words:
    return Words.of(*(request.form.get(name, "") for name in ("title", "alt", "credit")))


def _store() -> Store:
    return Store(context.config().files_dir, context.config().file_scanner)


def _count() -> Asking:
    config = context.config()
    return Asking(context.parts().counted, "upload", on=config.limits, most=UPLOAD_LIMIT)


# Reading them


@bp.get("/files/<name>")
def read(name: str) -> ResponseReturnValue:
    """A file, to whoever may see it: an image in the page, a document to be saved."""
    found = files.ADDRESS.fullmatch(f"/files/{name}")
    shown = shown_files.shown(context.reading(), accounts.current(), found[1]) if found else None
    if shown is None or files.address(shown.file.sha256, shown.file.media_type) != f"/files/{name}":
        raise NotFound(N_("There is no file at this address."))
    answer = _sent(shown)
    answer.headers["Cache-Control"] = PUBLIC if shown.public else "private, no-store"
    if shown.public:  # what is published under a free licence other sites may show too
        answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return answer


@bp.get("/preview/<token>/files/<name>")
def read_in_preview(token: str, name: str) -> ResponseReturnValue:
    """A file of a draft, to whoever has a private link to the draft."""
    link, document = previews.opened(context.reading(), token)
    answer = _sent(shown_files.named(context.reading(), link.practice_id, document, f"/files/{name}"))
    answer.headers.update({"Cache-Control": "private, no-store", "Referrer-Policy": "no-referrer"})
    return answer


def _sent(shown: Shown) -> Response:
    """A file with what keeps it harmless. Raises NotFound where it is lost.

    It is sent whole, whatever part was asked for (RFC 9110, section 14.2, leaves it to the server): the server sends a
    whole file by itself, a part of one would keep a thread as long as its reader takes.
    """
    file = shown.file
    name = slugify(shown.title, max_length=80) or file.sha256[:12]
    try:
        answer = send_file(
            _store().path(file.sha256),
            mimetype=file.media_type,
            as_attachment=file.media_type not in IMAGE_TYPES,
            download_name=f"{name}.{files.EXTENSIONS[file.media_type]}",
            conditional=False,
            etag=file.sha256,
            last_modified=file.created,
        )
    except FileNotFoundError as missing:
        log.error("an uploaded file is not in its place: %s", missing)
        raise NotFound(N_("There is no file at this address.")) from missing
    answer.headers["Content-Security-Policy"] = SANDBOX
    answer.make_conditional(request)
    return answer


# For the templates


@bp.app_template_filter()
def file_kind(media_type: str | None) -> str:
    """What people call a type of file, empty where it is not known."""
    return PRINTED.get(media_type or "", "")


@bp.app_template_filter()
def file_size(size: int | None) -> str:
    """A size in words: "340 kB", "1.2 MB"; empty where it is not known."""
    if not isinstance(size, int):
        return ""
    if size < 1_000_000:
        return _("%(n)s kB", n=format_decimal(max(1, round(size / 1000))))
    return _("%(n)s MB", n=format_decimal(round(size / 1_000_000, 1)))


@bp.app_template_global()
def files_of(practice: Practice | None) -> Mapping[str, Any]:
    """The images and attachments of a practice's working copy."""
    document = practices.working_copy(context.reading(), practice) if practice else {}
    return {key: document.get(key) or [] for key in KEYS.values()}
