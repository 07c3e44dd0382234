"""What cannot be kept just now comes back in its form, to be sent once more: no word of it is lost."""

from __future__ import annotations

import logging

from flask import Flask, request
from flask.typing import ResponseReturnValue
from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from kb.db import LEFT_UNDONE, may_pass
from kb.web import context, errors, keeping
from kb.web.returning import scripted

log = logging.getLogger(__name__)

SECRET = frozenset({"password", "again", "current", "code"})
"""Fields of forms that are never shown once more: they hold what nobody else is to read."""


def init_app(app: Flask) -> None:
    """Give back what was typed where the database is locked, full or read-only, and log that it is."""
    app.register_error_handler(OperationalError, _again)
    parts: context.Parts = app.extensions[context.KEY]
    event.listen(parts.database.engine, "handle_error", _note)


def _again(error: OperationalError) -> ResponseReturnValue:
    """The words of a form to be sent again; a page or a problem that says it where there are none."""
    plain = request.method != "POST" or request.path.startswith("/api/") or request.endpoint in scripted
    if plain or not may_pass(error) or request.files or SECRET & request.form.keys():
        return errors.cannot_now(error)
    try:
        return keeping.again() if keeping.typed(request.form.items(multi=True)) else errors.cannot_now(error)
    except SQLAlchemyError:  # not even what the layout asks for can be read
        return errors.cannot_now(error)


def _note(fault: ExceptionContext) -> None:
    """Tell whoever runs the site why nothing can be kept: people are told only that. No value is logged."""
    error, connection = fault.sqlalchemy_exception, fault.connection
    if fault.is_pre_ping:  # a connection that was lost while nobody used it: another one is made
        return
    minded = connection is None or connection.invalidated or not connection.info.get(LEFT_UNDONE)
    if minded and isinstance(error, DBAPIError) and may_pass(error):
        kind = getattr(error.orig, "sqlite_errorname", None) or getattr(error.orig, "sqlstate", None)
        log.error("the database cannot be used: %s (%s)", str(error.orig).strip(), kind or type(error.orig).__name__)
