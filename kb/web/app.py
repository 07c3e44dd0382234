"""The application put together: settings, parts, extensions, blueprints."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from functools import partial

from flask import Flask, Request, abort, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from flask.typing import ResponseReturnValue
from flask.wrappers import Response
from werkzeug.exceptions import SecurityError
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import MapAdapter

from kb.config import Config, host_of
from kb.db import Database
from kb.extensions import babel, bootstrap, csrf, login_manager
from kb.search import open_engine
from kb.services import counting
from kb.services.alerts import Alerts
from kb.services.health import Watch
from kb.services.indexing import Indexer
from kb.services.limits import BODY_LIMIT
from kb.services.locks import open_locks
from kb.services.postman import Postman
from kb.services.timing import timed
from kb.services.transport import open_transport
from kb.services.vocabularies import VocabularyCache
from kb.web import (
    account,  # noqa: F401 (its views belong to the blueprint of accounts)
    accounts,
    admin,
    admin_audit,
    admin_invitations,
    admin_mail,
    admin_mail_texts,
    admin_organisations,
    admin_users,
    admin_vocabularies,
    adopting,
    adoption_exports,
    alike,
    answering,
    api,
    api_alike,  # noqa: F401 (its views belong to the blueprint of the API)
    api_reading,  # noqa: F401 (its views belong to the blueprint of the API)
    api_vocabularies,  # noqa: F401 (likewise)
    api_writing,  # noqa: F401 (likewise)
    atlas,
    autosave,
    briefing,
    catalogue,
    claiming,
    comparing,
    compressing,
    conflicts,
    contacting,
    context,
    coverage,  # noqa: F401 (its views belong to the blueprint of the map)
    crawlers,
    dashboard,
    errors,
    exports,
    feeds,
    files,
    freshness,
    harvesting,
    health,
    history,
    importing,
    joining,  # noqa: F401 (likewise)
    languages,
    leaving,  # noqa: F401 (likewise)
    lifecycle,
    limiting,
    mails,
    mending,
    merging,
    moderation,
    notices,
    oai,
    observing,
    open_data,
    pages,
    preview,
    privacy,  # noqa: F401 (likewise)
    reassigning,
    redaction,
    reference,
    reporting,
    representations,
    resetting,  # noqa: F401 (likewise)
    searches,
    second_factor,  # noqa: F401 (likewise)
    sessions,  # noqa: F401 (likewise)
    sharing,
    shortlist,
    signing_in,  # noqa: F401 (likewise)
    styleguide,
    submissions,
    suggest,
    templating,
    tokens,  # noqa: F401 (its views belong to the blueprint of accounts)
    transfer,
    unavailable,
    versions,  # noqa: F401 (its views belong to the blueprint of the catalogue)
    writing,
)
from kb.web.catalogues import Catalogues

CONTENT_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"
)

NOT_USED = (
    "accelerometer", "autoplay", "bluetooth", "browsing-topics", "camera", "display-capture", "encrypted-media",
    "fullscreen", "gamepad", "geolocation", "gyroscope", "hid", "identity-credentials-get", "idle-detection",
    "keyboard-map", "local-fonts", "magnetometer", "microphone", "midi", "otp-credentials", "payment",
    "picture-in-picture", "publickey-credentials-create", "publickey-credentials-get", "screen-wake-lock", "serial",
    "storage-access", "sync-xhr", "usb", "web-share", "window-management", "xr-spatial-tracking",
)  # fmt: skip
"""What no page asks a browser for: all that https://www.w3.org/TR/permissions-policy/ and its registry let be refused,
less the clipboard, into which a button copies a citation, and names that browsers warn of."""

HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": ", ".join(f"{name}=()" for name in NOT_USED),
    "Cross-Origin-Opener-Policy": "same-origin",
}

HSTS = "max-age=31536000; includeSubDomains"
"""A year, where the public address is https."""

API = "/api/"
"""Under this, cookies are ignored."""

STATIC = ("/static/", "/bootstrap/")
"""Under these are files, the same for everybody."""


class _Sessions(SecureCookieSessionInterface):
    """Signed cookies; for the API and for files none is read and none is set."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        return SecureCookieSession() if request.path.startswith((API, *STATIC)) else super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if not request.path.startswith((API, *STATIC)):
            super().save_session(app, session, response)


class _Site(Flask):
    """Answers to the names that this site has, and to no others."""

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """What finds the view of an address. Raises SecurityError where the host is not one of ours.

        The name is brought into one spelling. Werkzeug's own check takes case for a difference, and knows no IPv6.
        """
        if request is not None:
            environ = request.environ
            host = host_of(environ.get("HTTP_HOST") or environ.get("SERVER_NAME", ""))
            if host is None or not _ours(host, self.extensions[context.KEY].config.trusted_hosts):
                raise SecurityError
            if "HTTP_HOST" in environ:
                _name, colon, port = environ["HTTP_HOST"].rpartition("]")[2].partition(":")
                environ["HTTP_HOST"] = f"{host}{colon}{port}"
        return super().create_url_adapter(request)


def make(config: Config) -> Flask:
    """Make the app from checked settings. Opens nothing that a fork could not share: no index, no connection."""
    app = _Site("kb")
    app.session_interface = _Sessions()
    _configure(app, config)
    context.bind(app, _parts(app, config))
    observing.init_app(app, config, app.extensions[context.KEY].counts)
    # First of all: what is too much costs nothing more.
    limiting.init_app(app, config, app.extensions[context.KEY].counted)
    app.before_request(files.let_in)  # before the token of a form is looked for in its body
    app.before_request(limiting.few_fields)
    app.before_request(_named_fields)
    for extension in (bootstrap, csrf, login_manager):
        extension.init_app(app)
    babel.init_app(app, locale_selector=languages.chosen)
    babel.domain_instance = Catalogues()
    templating.init_app(app)
    errors.init_app(app)
    unavailable.init_app(app)
    accounts.init_app(app)
    for blueprint in (
        pages.bp, catalogue.bp, atlas.bp, suggest.bp, accounts.bp, submissions.bp, answering.bp, writing.bp, files.bp,
        moderation.bp, mending.bp, exports.bp, api.bp, notices.bp, freshness.bp, dashboard.bp, admin.bp, admin_audit.bp,
        admin_invitations.bp, admin_mail.bp, admin_organisations.bp, admin_users.bp, admin_vocabularies.bp,
        redaction.bp, reference.bp, history.bp, sharing.bp, preview.bp, reporting.bp, claiming.bp, merging.bp,
        reassigning.bp, harvesting.bp, lifecycle.bp, admin_mail_texts.bp, autosave.bp, conflicts.bp, styleguide.bp,
        feeds.bp, searches.bp, oai.bp, open_data.bp, crawlers.bp, representations.bp, importing.bp, health.bp,
        adopting.bp, adoption_exports.bp,
        transfer.bp, contacting.bp,
        comparing.bp, briefing.bp, shortlist.bp, alike.bp,
    ):  # fmt: skip
        app.register_blueprint(blueprint)
    csrf.exempt(api.bp)
    csrf.exempt(oai.bp)
    app.before_request(_follow)
    compressing.init_app(app)
    app.after_request(_headers)
    return app


def _configure(app: Flask, config: Config) -> None:
    app.config.update(
        SECRET_KEY=config.secret_key,
        SESSION_COOKIE_NAME="__Host-kb" if config.secure else "kb",
        SESSION_COOKIE_SECURE=config.secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(days=14),
        SESSION_REFRESH_EACH_REQUEST=False,
        MAX_CONTENT_LENGTH=BODY_LIMIT,
        MAX_FORM_MEMORY_SIZE=BODY_LIMIT,
        MAX_FORM_PARTS=limiting.FIELDS_LIMIT,
        WTF_CSRF_TIME_LIMIT=None,  # the token lives as long as the session: a form may stay open over lunch
        WTF_CSRF_SSL_STRICT=False,  # the referrer policy may leave the header out
        BABEL_DEFAULT_LOCALE=config.languages[0],
        BOOTSTRAP_SERVE_LOCAL=True,
        SEND_FILE_MAX_AGE_DEFAULT=timedelta(days=365),
    )
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.url_map.strict_slashes = False
    if config.trusted_proxies:
        n = config.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=n, x_proto=n, x_host=n)  # type: ignore[method-assign]


def _parts(app: Flask, config: Config) -> context.Parts:
    counts = counting.Counts(config.data_dir / counting.FILE)
    longest = float(config.database_timeout)
    database = Database(config.database_url, config.slow_ms, pool=config.database_pool, longest=longest)
    engine = open_engine(config.search_url, config.index_dir)
    engine = timed(engine, config.slow_ms, partial(counts.observe, "search_seconds"))
    locks, vocabularies = open_locks(database, config.data_dir), VocabularyCache()
    indexer = Indexer(database, engine, vocabularies, locks, counts)
    alerts = Alerts(database, engine, vocabularies)
    transport = open_transport(config.mail_url)
    postman = Postman(database, config, mails.renderer(app), transport, also=alerts.run, counts=counts, locks=locks)
    watch = Watch(config, database, indexer)
    return context.Parts(config, database, locks, engine, vocabularies, indexer, postman, counts, watch)


def _named_fields() -> None:
    """Refuse a form with a part that bears no name: no browser sends one, and who looks for a name stumbles over it."""
    if request.mimetype == "multipart/form-data" and (None in request.form or None in request.files):
        abort(400)


def _follow() -> ResponseReturnValue | None:
    context.parts().indexer.follow()
    context.parts().postman.follow()
    return None


def _ours(host: str, trusted: Iterable[str]) -> bool:
    return any(host == each or (each.startswith(".") and f".{host}".endswith(each)) for each in trusted)


def _headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    shared = request.path.startswith(API) or response.headers.get("Access-Control-Allow-Origin") == "*"
    # what any site's scripts may read any site may show; all else is for pages of this one
    response.headers.setdefault("Cross-Origin-Resource-Policy", "cross-origin" if shared else "same-origin")
    if context.config().secure:
        response.headers.setdefault("Strict-Transport-Security", HSTS)
    if request.path.startswith(API):
        response.vary.add("Accept-Language")
    elif not request.path.startswith(STATIC):
        response.vary.update(("Accept-Language", "Cookie"))
        if accounts.signed_in():
            response.headers["Cache-Control"] = "private, no-store"
    response.headers.setdefault("Cache-Control", "no-cache")
    return response
