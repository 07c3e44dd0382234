"""Nobody gets in where they don't belong: every address and method, for every kind of person, in one table.

A new address without a row fails `test_no_address_is_missing_from_the_table`. A row is a method, the rule, an address
of it, and what it answers to SIX kinds of people; what it answers to the other three follows from that:

* a colleague, who shares Alice's organisation, is answered as Alice is, who owns `{draft}`, `{sent}` and `{public}`;
* a person who was disabled since they signed in is answered as a stranger is;
* an editor who is an author too is answered as an editor is, but where a seventh number says otherwise.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import session as cookie
from flask.testing import FlaskClient
from flask_wtf.csrf import generate_csrf
from werkzeug.test import TestResponse

from kb.models import Practice, User
from kb.services import accounts, sessions
from kb.web.accounts import TOKEN
from tests import factories, stack
from tests.conftest import Site, configure

SIX = ("stranger", "reader", "owner", "other member", "editor", "administrator")
NINE = (*SIX, "colleague", "editor and author", "disabled")

PEOPLE = {"reader": "rita", "owner": "alice", "other member": "charlie", "editor": "bob", "administrator": "dora",
          "colleague": "carol", "editor and author": "erin", "disabled": "walt"}  # fmt: skip

EVERYONE = (200,) * 6
SIGNED_IN = (302, 200, 200, 200, 200, 200)
MEMBERS = (302, 403, 200, 200, 200, 200)
EDITORS = (302, 403, 403, 403, 200, 200)
ADMINS = (302, 403, 403, 403, 403, 200)

Row = tuple[str, str, str, tuple[int, ...]]

ROWS: tuple[Row, ...] = (
    # method, rule, address, answers to SIX in turn
    ("GET", "/", "/", EVERYONE),
    ("GET", "/about", "/about", EVERYONE),
    ("GET", "/accessibility", "/accessibility", EVERYONE),
    ("GET", "/styleguide", "/styleguide", (404,) * 6),
    ("GET", "/language/<code>", "/language/en", (303,) * 6),
    ("GET", "/help", "/help", EVERYONE),
    ("GET", "/privacy", "/privacy", EVERYONE),
    ("GET", "/healthz", "/healthz", EVERYONE),
    ("GET", "/readyz", "/readyz", EVERYONE),
    ("GET", "/metrics", "/metrics", EVERYONE),  # on this machine; tests/web/test_observing.py asks from elsewhere
    ("GET", "/robots.txt", "/robots.txt", EVERYONE),
    ("GET", "/.well-known/security.txt", "/.well-known/security.txt", EVERYONE),
    ("GET", "/security-policy.txt", "/security-policy.txt", EVERYONE),
    ("GET", "/favicon.ico", "/favicon.ico", (302,) * 6),
    ("GET", "/data", "/data", EVERYONE),
    ("GET", "/catalog.ttl", "/catalog.ttl", EVERYONE),
    ("GET", "/vocabularies/<name>.ttl", "/vocabularies/themes.ttl", EVERYONE),
    ("GET", "/sitemap.xml", "/sitemap.xml", EVERYONE),
    ("GET", "/sitemap/pages.xml", "/sitemap/pages.xml", EVERYONE),
    ("GET", "/sitemap/practices-<int:number>.xml", "/sitemap/practices-1.xml", EVERYONE),
    ("GET", "/oai", "/oai?verb=ListRecords&metadataPrefix=oai_dc", EVERYONE),
    ("POST", "/oai", "/oai", EVERYONE),
    ("GET", "/practices", "/practices", EVERYONE),
    ("GET", "/practices.<suffix>", "/practices.csv", EVERYONE),
    ("GET", "/snapshot.zip", "/snapshot.zip", EVERYONE),
    ("GET", "/codebook", "/codebook", EVERYONE),
    ("GET", "/codebook.csv", "/codebook.csv", EVERYONE),
    ("GET", "/practices/<slug>", "/practices/{public}", EVERYONE),
    ("GET", "/practices/<stem:slug>.<suffix:suffix>", "/practices/{public}.json", EVERYONE),
    ("GET", "/practices/<slug>/versions", "/practices/{public}/versions", EVERYONE),
    (
        "GET",
        "/practices/<stem:slug>/versions/<int:number>.<suffix:suffix>",
        "/practices/{public}/versions/1.bib",
        EVERYONE,
    ),
    ("GET", "/practices/<slug>/versions/<int:number>", "/practices/{public}/versions/1", EVERYONE),
    (
        "GET",
        "/practices/<slug>/versions/<int:first>...<int:second>",
        "/practices/{public}/versions/1...1",
        EVERYONE,
    ),
    ("GET", "/practices/<slug>/claim", "/practices/{public}/claim", MEMBERS),
    ("POST", "/practices/<slug>/claim", "/practices/{public}/claim", (401, 403, 409, 409, 409, 409)),
    ("GET", "/practices/<slug>/adoptions", "/practices/{public}/adoptions", EVERYONE),
    ("POST", "/practices/<slug>/adoptions", "/practices/{public}/adoptions", (401, 403, 422, 422, 422, 422)),
    ("GET", "/adoptions/<uuid:adoption_id>", "/adoptions/{unknown}", (302, 404, 404, 404, 404, 404)),
    ("POST", "/adoptions/<uuid:adoption_id>", "/adoptions/{unknown}", (401, 404, 404, 404, 404, 404)),
    (
        "POST",
        "/adoptions/<uuid:adoption_id>/decision",
        "/adoptions/{unknown}/decision",
        (401, 403, 404, 404, 404, 404),
    ),
    ("GET", "/adoptions.<suffix>", "/adoptions.csv", EVERYONE),
    ("GET", "/practices/<slug>/report", "/practices/{public}/report", EVERYONE),
    ("POST", "/practices/<slug>/report", "/practices/{public}/report", (422,) * 6),
    ("GET", "/practices/<slug>/transfer-check", "/practices/{public}/transfer-check", EVERYONE),
    (
        "POST",
        "/practices/<slug>/transfer-check",
        "/practices/{public}/transfer-check",
        (401, 422, 422, 422, 422, 422),
    ),
    ("GET", "/practices/<slug>/contact", "/practices/{public}/contact", SIGNED_IN),
    ("POST", "/practices/<slug>/contact", "/practices/{public}/contact", (401, 422, 422, 422, 422, 422)),
    ("GET", "/themes", "/themes", EVERYONE),
    ("GET", "/themes/<slug>", "/themes/housing", EVERYONE),
    ("GET", "/regions", "/regions", EVERYONE),
    ("GET", "/regions/<code>", "/regions/ES51", EVERYONE),
    ("GET", "/regions/like-mine", "/regions/like-mine", EVERYONE),
    ("GET", "/countries/<code>", "/countries/IT", EVERYONE),
    ("GET", "/map", "/map", EVERYONE),
    ("GET", "/coverage", "/coverage", EVERYONE),
    ("GET", "/coverage.csv", "/coverage.csv", EVERYONE),
    ("GET", "/compare", "/compare", EVERYONE),
    ("GET", "/compare.docx", "/compare.docx?p={public}", (400,) * 6),
    ("GET", "/briefing", "/briefing?p={public}", EVERYONE),
    ("GET", "/briefing.docx", "/briefing.docx?p={public}", EVERYONE),
    ("GET", "/shortlist", "/shortlist?p={public}", EVERYONE),
    ("POST", "/account/shortlist", "/account/shortlist", (401, 404, 404, 404, 404, 404)),
    ("GET", "/suggest", "/suggest?q=seen", EVERYONE),
    ("GET", "/feed.atom", "/feed.atom", EVERYONE),
    ("GET", "/api", "/api", EVERYONE),
    ("GET", "/api/v1/openapi.json", "/api/v1/openapi.json", EVERYONE),
    ("GET", "/api/v1/practices", "/api/v1/practices", EVERYONE),
    ("GET", "/api/v1/practices/<slug>", "/api/v1/practices/{public}", EVERYONE),
    ("GET", "/api/v1/practices/<slug>/adoptions", "/api/v1/practices/{public}/adoptions", EVERYONE),
    ("GET", "/api/v1/themes", "/api/v1/themes", EVERYONE),
    ("GET", "/api/v1/target-groups", "/api/v1/target-groups", EVERYONE),
    ("GET", "/api/v1/regions", "/api/v1/regions", EVERYONE),
    ("GET", "/api/v1/regions/<code>/alike", "/api/v1/regions/ES22/alike", EVERYONE),
    ("GET", "/api/v1/coverage", "/api/v1/coverage", EVERYONE),
    ("GET", "/api/v1/practices/<slug>/versions", "/api/v1/practices/{public}/versions", EVERYONE),
    ("GET", "/api/v1/practices/<slug>/versions/<int:number>", "/api/v1/practices/{public}/versions/1", EVERYONE),
    ("GET", "/api/v1/facets", "/api/v1/facets", EVERYONE),
    ("GET", "/api/v1/my/practices", "/api/v1/my/practices", (401,) * 6),
    ("GET", "/api/v1/my/practices/<name>", "/api/v1/my/practices/{draft}", (401,) * 6),
    ("POST", "/api/v1/practices", "/api/v1/practices", (401,) * 6),
    ("PUT", "/api/v1/practices/<slug>", "/api/v1/practices/{draft}", (401,) * 6),
    ("GET", "/sign-in", "/sign-in", (200, 302, 302, 302, 302, 302)),
    ("POST", "/sign-in", "/sign-in", (401,) * 6),
    ("POST", "/sign-out", "/sign-out", (302,) * 6),
    ("GET", "/link/<token>", "/link/unknown", (404,) * 6),
    ("POST", "/link/<token>", "/link/unknown", (404,) * 6),
    ("GET", "/invitation/<token>", "/invitation/unknown", (404,) * 6),
    ("POST", "/invitation/<token>", "/invitation/unknown", (404,) * 6),
    ("GET", "/register", "/register", (200, 302, 302, 302, 302, 302)),
    ("POST", "/register", "/register", (403,) * 6),
    ("GET", "/register/<token>", "/register/unknown", (404,) * 6),
    ("POST", "/register/<token>", "/register/unknown", (404,) * 6),
    ("GET", "/reset", "/reset", EVERYONE),
    ("POST", "/reset", "/reset", (422,) * 6),
    ("GET", "/reset/<token>", "/reset/unknown", (404,) * 6),
    ("POST", "/reset/<token>", "/reset/unknown", (404,) * 6),
    ("GET", "/account/address", "/account/address", SIGNED_IN),
    ("POST", "/account/address", "/account/address", (401, 422, 422, 422, 422, 422)),
    ("GET", "/account/address/<token>", "/account/address/unknown", (404,) * 6),
    ("POST", "/account/address/<token>", "/account/address/unknown", (404,) * 6),
    ("GET", "/sign-in/code", "/sign-in/code", (302,) * 6),
    ("POST", "/sign-in/code", "/sign-in/code", (401,) * 6),
    ("GET", "/account", "/account", SIGNED_IN),
    ("POST", "/account", "/account", (401, 302, 302, 302, 302, 302)),
    ("GET", "/account/sessions", "/account/sessions", SIGNED_IN),
    ("POST", "/account/sessions", "/account/sessions", (401, 302, 302, 302, 302, 302)),
    ("GET", "/account/tokens", "/account/tokens", MEMBERS),
    ("POST", "/account/tokens", "/account/tokens", (401, 403, 422, 422, 422, 422)),
    ("GET", "/account/second-factor", "/account/second-factor", SIGNED_IN),
    ("POST", "/account/second-factor", "/account/second-factor", (401, 302, 302, 302, 302, 302)),
    ("GET", "/account/second-factor/codes", "/account/second-factor/codes", (302,) * 6),
    ("POST", "/account/second-factor/codes", "/account/second-factor/codes", (401, 302, 302, 302, 302, 302)),
    ("GET", "/account/second-factor/off", "/account/second-factor/off", (302,) * 6),
    ("POST", "/account/second-factor/off", "/account/second-factor/off", (401, 302, 302, 302, 302, 302)),
    ("GET", "/account/password", "/account/password", SIGNED_IN),
    ("POST", "/account/password", "/account/password", (401, 422, 422, 422, 422, 422)),
    ("GET", "/account/data", "/account/data", SIGNED_IN),
    ("POST", "/account/data", "/account/data", (401, 200, 200, 200, 200, 200)),
    (
        "POST",
        "/account/contacts/<uuid:practice_id>/withdraw",
        "/account/contacts/{sent}/withdraw",
        (401, 404, 302, 404, 302, 302),
    ),
    (
        "POST",
        "/account/contacts/adoptions/<uuid:adoption_id>/withdraw",
        "/account/contacts/adoptions/{unknown}/withdraw",
        (401, 404, 404, 404, 404, 404),
    ),
    ("GET", "/account/delete", "/account/delete", SIGNED_IN),
    ("POST", "/account/delete", "/account/delete", (401, 422, 422, 422, 422, 409)),
    ("GET", "/account/searches", "/account/searches", SIGNED_IN),
    ("POST", "/account/searches", "/account/searches", (401, 302, 302, 302, 302, 302)),
    ("POST", "/account/searches/<uuid:search_id>", "/account/searches/{unknown}", (401, 404, 404, 404, 404, 404)),
    (
        "POST",
        "/account/searches/<uuid:search_id>/<step>",
        "/account/searches/{unknown}/stop",
        (401, 404, 404, 404, 404, 404),
    ),
    ("GET", "/account/transfer-checks", "/account/transfer-checks", SIGNED_IN),
    ("POST", "/account/transfer-checks", "/account/transfer-checks", (401, 404, 404, 404, 404, 404)),
    ("GET", "/unsubscribe/search/<token>", "/unsubscribe/search/unknown", (404,) * 6),
    ("POST", "/unsubscribe/search/<token>", "/unsubscribe/search/unknown", (404,) * 6),
    ("GET", "/account/mail", "/account/mail", SIGNED_IN),
    ("POST", "/account/mail", "/account/mail", (401, 302, 302, 302, 302, 302)),
    ("GET", "/unsubscribe/<token>", "/unsubscribe/unknown", (404,) * 6),
    ("POST", "/unsubscribe/<token>", "/unsubscribe/unknown", (404,) * 6),
    ("GET", "/admin", "/admin", ADMINS),
    ("GET", "/admin/users", "/admin/users", ADMINS),
    ("GET", "/admin/users/<uuid:user_id>", "/admin/users/{alice}", ADMINS),
    ("POST", "/admin/users/<uuid:user_id>", "/admin/users/{alice}", (401, 403, 403, 403, 403, 422)),
    ("POST", "/admin/users/<uuid:user_id>/access", "/admin/users/{alice}/access", (401, 403, 403, 403, 403, 302)),
    ("POST", "/admin/users/<uuid:user_id>/delete", "/admin/users/{alice}/delete", (401, 403, 403, 403, 403, 422)),
    ("GET", "/import/template.<suffix>", "/import/template.csv", MEMBERS),
    ("GET", "/admin/import", "/admin/import", EDITORS),
    ("POST", "/admin/import", "/admin/import", (401, 403, 403, 403, 422, 422)),
    (
        "GET",
        "/admin/import/<uuid:staged_id>",
        "/admin/import/00000000-0000-0000-0000-000000000000",
        (302, 403, 403, 403, 404, 404),
    ),
    (
        "POST",
        "/admin/import/<uuid:staged_id>",
        "/admin/import/00000000-0000-0000-0000-000000000000",
        (401, 403, 403, 403, 404, 404),
    ),
    (
        "GET",
        "/admin/import/<uuid:staged_id>/refused.csv",
        "/admin/import/00000000-0000-0000-0000-000000000000/refused.csv",
        (302, 403, 403, 403, 404, 404),
    ),
    ("GET", "/admin/invitations", "/admin/invitations", EDITORS),
    ("POST", "/admin/invitations", "/admin/invitations", (401, 403, 403, 403, 422, 422)),
    ("POST", "/admin/invitations/<uuid:invitation_id>", "/admin/invitations/{unknown}", (401, 403, 403, 403, 404, 404)),
    ("GET", "/admin/registrations", "/admin/registrations", (302, 403, 403, 403, 302, 302)),
    (
        "POST",
        "/admin/registrations/<uuid:registration_id>",
        "/admin/registrations/{unknown}",
        (401, 403, 403, 403, 404, 404),
    ),
    ("GET", "/admin/organisations", "/admin/organisations", ADMINS),
    ("POST", "/admin/organisations", "/admin/organisations", (401, 403, 403, 403, 403, 422)),
    ("GET", "/admin/organisations/<uuid:organisation_id>", "/admin/organisations/{body}", ADMINS),
    (
        "POST",
        "/admin/organisations/<uuid:organisation_id>",
        "/admin/organisations/{body}",
        (401, 403, 403, 403, 403, 422),
    ),
    (
        "POST",
        "/admin/organisations/<uuid:organisation_id>/merge",
        "/admin/organisations/{body}/merge",
        (401, 403, 403, 403, 403, 422),
    ),
    ("GET", "/admin/vocabularies", "/admin/vocabularies", ADMINS),
    ("GET", "/admin/vocabularies/<kind>", "/admin/vocabularies/themes", ADMINS),
    ("POST", "/admin/vocabularies/<kind>", "/admin/vocabularies/themes", (401, 403, 403, 403, 403, 422)),
    ("GET", "/admin/vocabularies/<kind>/<slug>", "/admin/vocabularies/themes/housing", ADMINS),
    (
        "POST",
        "/admin/vocabularies/<kind>/<slug>",
        "/admin/vocabularies/themes/housing",
        (401, 403, 403, 403, 403, 422),
    ),
    (
        "POST",
        "/admin/vocabularies/<kind>/<slug>/merge",
        "/admin/vocabularies/target-groups/refugees/merge",
        (401, 403, 403, 403, 403, 422),
    ),
    (
        "GET",
        "/admin/practices/<uuid:practice_id>/redact",
        "/admin/practices/{unknown}/redact",
        (302, 403, 403, 403, 403, 404),
    ),
    (
        "POST",
        "/admin/practices/<uuid:practice_id>/redact",
        "/admin/practices/{unknown}/redact",
        (401, 403, 403, 403, 403, 404),
    ),
    ("GET", "/admin/audit", "/admin/audit", ADMINS),
    ("GET", "/admin/audit.csv", "/admin/audit.csv", ADMINS),
    ("GET", "/admin/mail", "/admin/mail", ADMINS),
    ("GET", "/admin/mail/texts", "/admin/mail/texts", ADMINS),
    ("GET", "/admin/mail/texts/<kind>/<language>", "/admin/mail/texts/reset/en", ADMINS),
    ("POST", "/admin/mail/texts/<kind>/<language>", "/admin/mail/texts/reset/en", (401, 403, 403, 403, 403, 422)),
    ("POST", "/admin/mail/<int:message_id>", "/admin/mail/999", (401, 403, 403, 403, 403, 302)),
    ("GET", "/submit", "/submit", MEMBERS),
    ("POST", "/submit", "/submit", (401, 403, 302, 302, 302, 302)),
    ("GET", "/my/practices", "/my/practices", SIGNED_IN),
    ("GET", "/my/practices/<uuid:practice_id>/edit", "/my/practices/{draft}/edit", (302, 404, 200, 404, 404, 404)),
    ("POST", "/my/practices/<uuid:practice_id>/edit", "/my/practices/{draft}/edit", (401, 404, 302, 404, 404, 404)),
    (
        "POST",
        "/my/practices/<uuid:practice_id>/autosave",
        "/my/practices/{draft}/autosave",
        (401, 404, 200, 404, 404, 404),
    ),
    (
        "POST",
        "/my/practices/<uuid:practice_id>/autosave/discard",
        "/my/practices/{draft}/autosave/discard",
        (401, 404, 302, 404, 404, 404),
    ),
    (
        "POST",
        "/my/practices/<uuid:practice_id>/reconcile",
        "/my/practices/{draft}/reconcile",
        (401, 404, 400, 404, 404, 404),
    ),
    (
        "GET",
        "/my/practices/<uuid:practice_id>/history",
        "/my/practices/{draft}/history",
        (302, 404, 200, 404, 404, 404),
    ),
    (
        "GET",
        "/my/practices/<uuid:practice_id>/history/<int:number>",
        "/my/practices/{draft}/history/1",
        (302, 404, 200, 404, 404, 404),
    ),
    (
        "POST",
        "/my/practices/<uuid:practice_id>/history/<int:number>",
        "/my/practices/{draft}/history/1",
        (401, 404, 302, 404, 404, 404),
    ),
    (
        "GET",
        "/my/practices/<uuid:practice_id>/history/<int:first>...<int:second>",
        "/my/practices/{draft}/history/1...1",
        (302, 404, 200, 404, 404, 404),
    ),
    (
        "GET",
        "/my/practices/<uuid:practice_id>/sharing",
        "/my/practices/{draft}/sharing",
        (302, 404, 200, 404, 404, 404),
    ),
    (
        "POST",
        "/my/practices/<uuid:practice_id>/sharing/offers",
        "/my/practices/{draft}/sharing/offers",
        (401, 404, 422, 404, 404, 404),
    ),
    (
        "POST",
        "/my/practices/<uuid:practice_id>/sharing/offers/<uuid:offer_id>",
        "/my/practices/{draft}/sharing/offers/{unknown}",
        (401, 404, 404, 404, 404, 404),
    ),
    (
        "POST",
        "/my/practices/<uuid:practice_id>/sharing/people/<uuid:user_id>",
        "/my/practices/{draft}/sharing/people/{unknown}",
        (401, 404, 404, 404, 404, 404),
    ),
    (
        "POST",
        "/my/practices/<uuid:practice_id>/sharing/links",
        "/my/practices/{draft}/sharing/links",
        (401, 404, 422, 404, 404, 404),
    ),
    (
        "POST",
        "/my/practices/<uuid:practice_id>/sharing/links/<uuid:link_id>",
        "/my/practices/{draft}/sharing/links/{unknown}",
        (401, 404, 404, 404, 404, 404),
    ),
    ("GET", "/offers/<token>", "/offers/unknown", (302, 404, 404, 404, 404, 404)),
    ("POST", "/offers/<token>", "/offers/unknown", (401, 404, 404, 404, 404, 404)),
    ("GET", "/preview/<token>", "/preview/unknown", (404,) * 6),
    (
        "POST",
        "/my/practices/<uuid:practice_id>/withdraw",
        "/my/practices/{sent}/withdraw",
        (401, 404, 302, 404, 403, 403),
    ),
    (
        "GET",
        "/my/practices/<uuid:practice_id>/harvest",
        "/my/practices/{draft}/harvest",
        (302, 404, 404, 404, 404, 404),
    ),
    (
        "POST",
        "/my/practices/<uuid:practice_id>/harvest",
        "/my/practices/{draft}/harvest",
        (401, 404, 404, 404, 404, 404),
    ),
    (
        "GET",
        "/my/practices/<uuid:practice_id>/still-correct",
        "/my/practices/{alices}/still-correct",
        (302, 404, 200, 404, 200, 200),
    ),
    (
        "POST",
        "/my/practices/<uuid:practice_id>/still-correct",
        "/my/practices/{alices}/still-correct",
        (401, 404, 302, 404, 302, 302),
    ),
    (
        "GET",
        "/my/practices/<uuid:practice_id>/step/<step>",
        "/my/practices/{draft}/step/abandon",
        (302, 404, 200, 404, 404, 404),
    ),
    (
        "POST",
        "/my/practices/<uuid:practice_id>/step/<step>",
        "/my/practices/{draft}/step/abandon",
        (401, 404, 302, 404, 404, 404),
    ),
    (
        "GET",
        "/review/<uuid:practice_id>/step/<step>",
        "/review/{alices}/step/unpublish",
        EDITORS,
    ),
    (
        "POST",
        "/review/<uuid:practice_id>/step/<step>",
        "/review/{alices}/step/unpublish",
        (401, 403, 403, 403, 422, 422),
    ),
    ("GET", "/review/offline", "/review/offline", EDITORS),
    ("GET", "/my/practices/<uuid:practice_id>/files", "/my/practices/{draft}/files", (302, 404, 200, 404, 404, 404)),
    ("POST", "/my/practices/<uuid:practice_id>/files", "/my/practices/{draft}/files", (401, 404, 422, 404, 404, 404)),
    (
        "POST",
        "/my/practices/<uuid:practice_id>/files/<sha256>",
        "/my/practices/{draft}/files/unknown",
        (401, 404, 404, 404, 404, 404),
    ),
    ("GET", "/files/<name>", "/files/unknown.pdf", (404,) * 6),
    ("GET", "/preview/<token>/files/<name>", "/preview/unknown/files/unknown.pdf", (404,) * 6),
    (
        "GET",
        "/my/practices/<uuid:practice_id>/preview",
        "/my/practices/{draft}/preview",
        (302, 404, 200, 404, 404, 404),
    ),
    (
        "GET",
        "/my/practices/<uuid:practice_id>/duplicates",
        "/my/practices/{draft}/duplicates",
        (302, 404, 200, 404, 404, 404),
    ),
    (
        "POST",
        "/my/practices/<uuid:practice_id>/duplicates",
        "/my/practices/{asked}/duplicates",
        (401, 404, 302, 404, 404, 404),
    ),
    ("GET", "/review", "/review", EDITORS),
    ("GET", "/review/<uuid:practice_id>/merge", "/review/{unknown}/merge", (302, 403, 403, 403, 404, 404)),
    ("POST", "/review/<uuid:practice_id>/merge", "/review/{unknown}/merge", (401, 403, 403, 403, 404, 404)),
    ("POST", "/review/<uuid:practice_id>/unmerge", "/review/{unknown}/unmerge", (401, 403, 403, 403, 404, 404)),
    ("GET", "/review/reassign", "/review/reassign", EDITORS),
    ("POST", "/review/reassign", "/review/reassign", (401, 403, 403, 403, 422, 422)),
    ("GET", "/review/reports", "/review/reports", EDITORS),
    ("GET", "/review/claims", "/review/claims", EDITORS),
    ("POST", "/review/claims/<uuid:claim_id>", "/review/claims/{unknown}", (401, 403, 403, 403, 404, 404)),
    ("POST", "/review/reports/<uuid:report_id>", "/review/reports/{unknown}", (401, 403, 403, 403, 404, 404)),
    ("GET", "/review/dashboard", "/review/dashboard", EDITORS),
    ("GET", "/admin/harvest", "/admin/harvest", EDITORS),
    ("GET", "/admin/freshness", "/admin/freshness", (302, 403, 403, 403, 302, 302)),
    ("GET", "/review/<uuid:practice_id>", "/review/{sent}", EDITORS),
    ("POST", "/review/<uuid:practice_id>", "/review/{sent}", (401, 403, 403, 403, 422, 422)),
    (
        "GET",
        "/my/practices/<uuid:practice_id>/questions",
        "/my/practices/{sent}/questions",
        (302, 404, 200, 404, 200, 200),
    ),
    (
        "POST",
        "/my/practices/<uuid:practice_id>/questions",
        "/my/practices/{sent}/questions",
        (401, 404, 302, 404, 302, 302),
    ),
    ("POST", "/review/<uuid:practice_id>/notes", "/review/{sent}/notes", (401, 403, 403, 403, 204, 204)),
    ("GET", "/review/<uuid:practice_id>/mend", "/review/{sent}/mend", EDITORS),
    ("POST", "/review/<uuid:practice_id>/mend", "/review/{sent}/mend", (401, 403, 403, 403, 422, 422)),
    ("POST", "/review/<uuid:practice_id>/contact", "/review/{sent}/contact", (401, 403, 403, 403, 302, 302)),
)

HIDDEN: tuple[Row, ...] = (
    # Further objects behind the same addresses
    ("GET", "", "/review/{draft}/step/unpublish", (302, 403, 403, 403, 404, 404)),
    ("GET", "", "/review/{sent}/step/archive", (302, 403, 403, 403, 404, 404)),
    ("POST", "", "/review/{sent}/step/unpublish", (401, 403, 403, 403, 404, 404)),
    ("GET", "", "/review/{alices}/step/abandon", (302, 403, 403, 403, 404, 404)),
    ("GET", "", "/my/practices/{alices}/step/unpublish", (302, 404, 404, 404, 404, 404)),
    ("GET", "", "/my/practices/{sent}/step/resume", (302, 404, 409, 404, 404, 404)),
    ("GET", "", "/my/practices/{unknown}/step/abandon", (302, 404, 404, 404, 404, 404)),
    ("GET", "", "/admin/users/{unknown}", (302, 403, 403, 403, 403, 404)),
    ("GET", "", "/admin/organisations/{unknown}", (302, 403, 403, 403, 403, 404)),
    ("POST", "", "/admin/users/{unknown}/access", (401, 403, 403, 403, 403, 404)),
    ("POST", "", "/admin/organisations/{unknown}/merge", (401, 403, 403, 403, 403, 404)),
    ("GET", "", "/practices/{draft}", (404,) * 6),
    ("GET", "", "/practices/{draft}/versions", (404,) * 6),
    ("GET", "", "/practices/{public}/versions/2", (404,) * 6),
    ("GET", "", "/practices/{draft}/versions/1...1", (404,) * 6),
    ("POST", "", "/my/practices/{sent}/autosave", (401, 404, 409, 404, 403, 403)),
    ("GET", "", "/my/practices/{sent}/sharing", (302, 404, 200, 404, 200, 200)),
    ("POST", "", "/my/practices/{sent}/sharing/offers", (401, 404, 422, 404, 422, 422)),
    ("POST", "", "/my/practices/{sent}/sharing/links", (401, 404, 422, 404, 422, 422)),
    ("GET", "", "/my/practices/{sent}/history", (302, 404, 200, 404, 200, 200)),
    ("GET", "", "/my/practices/{sent}/history/1...2", (302, 404, 200, 404, 200, 200)),
    ("POST", "", "/my/practices/{sent}/history/1", (401, 404, 403, 404, 403, 403)),
    ("GET", "", "/api/v1/practices/{draft}", (404,) * 6),
    ("GET", "", "/practices/{draft}/report", (404,) * 6),
    ("GET", "", "/review/{draft}/merge", (302, 403, 403, 403, 404, 404)),
    ("GET", "", "/practices/{draft}/transfer-check", (404,) * 6),
    ("POST", "", "/practices/{draft}/transfer-check", (401, 404, 404, 404, 404, 404)),
    ("GET", "", "/practices/{draft}/contact", (302, 404, 404, 404, 404, 404)),
    ("POST", "", "/practices/{draft}/contact", (401, 404, 404, 404, 404, 404)),
    ("GET", "", "/practices/{draft}/adoptions", (404,) * 6),
    ("POST", "", "/practices/{draft}/adoptions", (401, 404, 404, 404, 404, 404)),
    ("GET", "", "/api/v1/practices/{draft}/adoptions", (404,) * 6),
    ("GET", "", "/compare?p={public}&p={draft}", (404,) * 6),
    ("GET", "", "/compare.docx?p={public}&p={draft}", (404,) * 6),
    ("GET", "", "/briefing?p={public}&p={sent}", (404,) * 6),
    ("GET", "", "/briefing.docx?p={sent}", (404,) * 6),
    ("GET", "", "/shortlist?p={draft}&p={sent}", EVERYONE),
    ("GET", "", "/practices/{draft}/claim", (302, 404, 404, 404, 404, 404)),
    ("POST", "", "/practices/{draft}/claim", (401, 404, 404, 404, 404, 404)),
    ("GET", "", "/my/practices/{sent}/edit", (302, 404, 200, 404, 200, 200)),
    ("GET", "", "/my/practices/{unknown}/edit", (302, 404, 404, 404, 404, 404)),
    ("GET", "", "/my/practices/{sent}/preview", (302, 404, 200, 404, 200, 200)),
    ("GET", "", "/my/practices/{unknown}/preview", (302, 404, 404, 404, 404, 404)),
    ("GET", "", "/my/practices/{unknown}/duplicates", (302, 404, 404, 404, 404, 404)),
    ("GET", "", "/review/{draft}", (302, 403, 403, 403, 404, 404)),
    ("POST", "", "/review/{draft}", (401, 403, 403, 403, 404, 404)),
    ("GET", "", "/review/{unknown}", (302, 403, 403, 403, 404, 404)),
    ("GET", "", "/my/practices/{erins_draft}/edit", (302, 404, 404, 404, 404, 404, 200)),
    ("POST", "", "/my/practices/{erins_draft}/edit", (401, 404, 404, 404, 404, 404, 302)),
    ("POST", "", "/my/practices/{erins}/withdraw", (401, 404, 404, 404, 403, 403, 302)),
    ("GET", "", "/review/{erins}", EDITORS),
    ("GET", "", "/review/{erins_draft}", (302, 403, 403, 403, 404, 404, 200)),
    ("GET", "", "/my/practices/{walts_draft}/edit", (302, 404, 404, 404, 404, 404)),
    ("GET", "", "/practices?q=hidden", EVERYONE),
    ("GET", "", "/api/v1/practices?q=hidden", EVERYONE),
    ("GET", "", "/suggest?q=hidden", EVERYONE),
)

NOT_OURS = ("static", "bootstrap.static")
"""Files that anyone may have."""

HIDING = {
    "draft": (factories.draft, "alice", "Hidden draft of Alice"),
    "sent": (factories.submitted, "alice", "Hidden submission of Alice"),
    "asked": (factories.draft, "alice", "Hidden submission of Alice"),  # its row sends it to the editors
    "erins_draft": (factories.draft, "erin", "Hidden draft of Erin"),
    "erins": (factories.submitted, "erin", "Hidden submission of Erin"),
}
"""Practices that no reader sees: how they are made, whose they are, their titles."""


class World:
    """A site with a public practice and hidden ones, and browsers of all kinds of people."""

    def __init__(self, folder: Path) -> None:
        self.site = Site(configure(folder))
        with self.site.database.write() as session:
            for name, role in (("carol", "member"), ("erin", "editor"), ("walt", "member")):
                factories.person(session, f"{name}@example.org", role)
            people = {user.email.partition("@")[0]: user for user in session.query(User)}
            factories.organisation(session, "Region of Example", people["alice"], people["carol"])
            body = factories.organisation(session, "Town of X")
            public = factories.published(session, people["alice"], title="Seen by all")
            walts = factories.draft(session, people["walt"], title="Hidden draft of Walt")
            self.dead = sessions.open_session(session, people["walt"])
            accounts.disable(session, "walt@example.org")
            self.ids = {"public": str(public.slug), "alices": str(public.id), "walts_draft": str(walts.id),
                        "body": str(body.id), "unknown": str(uuid.uuid4()),
                        "alice": str(people["alice"].id)}  # fmt: skip
        self.hide(*HIDING)
        self.site.drain()
        with self.site.app.test_request_context():
            self.csrf = generate_csrf()
            self.kept_csrf = cookie["csrf_token"]

    def hide(self, *names: str) -> None:
        """Put new practices of HIDING in place of those that a request may have changed."""
        for name in names:
            make, owner, title = HIDING[name]
            with self.site.database.write() as session:
                practice = make(session, accounts.get(session, f"{owner}@example.org"), title=title)
                self.ids[name] = str(practice.id)

    def browser(self, who: str) -> FlaskClient:
        """A new browser in which someone is signed in, with a token for forms."""
        client = self.site.app.test_client()
        with client.session_transaction() as held:
            held["csrf_token"] = self.kept_csrf
            if who != "stranger":
                held[TOKEN] = self.dead if who == "disabled" else self._signed_in(PEOPLE[who])
        return client

    def ask(self, who: str, method: str, address: str, **data: str) -> TestResponse:
        """What somebody is answered; a form that is posted holds its token, the text it was made from, and `data`."""
        if method == "POST":
            self.hide(*(name for name in HIDING if f"{{{name}}}" in address))
        path = address.format(**self.ids)
        form = {"csrf_token": self.csrf, **self._seen(path), **data}
        sent = form if method == "POST" and "/api/" not in path else None
        return self.browser(who).open(path, method=method, data=sent)

    def _seen(self, path: str) -> dict[str, str]:
        """Which revision a form says that it was made from: the newest one of the practice in its address."""
        named = re.search(r"/([0-9a-f-]{36})\b", path)
        with self.site.database.read() as session:
            practice = session.get(Practice, uuid.UUID(named.group(1))) if named else None
            return {"seen": str(practice.revision_count)} if practice else {}

    def _signed_in(self, name: str) -> str:
        with self.site.database.write() as session:
            return sessions.open_session(session, accounts.get(session, f"{name}@example.org"))


@pytest.fixture(scope="module")
def world(peopled_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world that all tests share: what they change is made anew for each request."""
    world = World(stack.copy(peopled_folder, tmp_path_factory.mktemp("world") / "data"))
    yield world
    world.site.close()


def expected(answers: tuple[int, ...]) -> dict[str, int]:
    """A row's answers for all nine kinds of people."""
    said = dict(zip(SIX, answers[:6], strict=True))
    author = answers[6] if len(answers) > 6 else said["editor"]
    return {**said, "colleague": said["owner"], "editor and author": author, "disabled": said["stranger"]}


def may_read(who: str, title: str, path: str) -> bool:
    """Whether a hidden practice may stand on a page: with those whose it is, and with editors once it is submitted."""
    if path.startswith(("/my/", "/account")) or path.endswith("/adoptions"):  # where one names a practice of one's own
        shared = {"colleague": "Alice"} if not path.startswith("/account") else {}
        mine = {"owner": "Alice", "editor and author": "Erin"} | shared
        if who in mine and title.endswith(mine[who]):
            return True
    if path.startswith("/review") and who == "editor and author" and title.endswith("Erin"):
        return True
    editing = who in ("editor", "editor and author", "administrator") and "submission" in title
    return editing and path.startswith(("/review", "/my/practices/"))


@pytest.mark.parametrize("row", [*ROWS, *HIDDEN], ids=lambda row: f"{row[0]} {row[2]}")
def test_each_address_answers_each_person_as_the_table_says_and_shows_no_hidden_practice(
    world: World, row: Row
) -> None:
    method, _rule, address, answers = row
    found, seen = {}, []
    for who in NINE:
        answer = world.ask(who, method, address)
        found[who] = answer.status_code
        titles = set(re.findall(r"Hidden (?:draft|submission) of \w+", answer.data.decode(errors="replace")))
        seen += [(who, title) for title in titles if not may_read(who, title, address)]
    assert found == expected(answers)
    assert not seen


def test_no_address_is_missing_from_the_table_and_none_is_too_many(world: World) -> None:
    rules = {
        (method, rule.rule)
        for rule in world.site.app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.endpoint not in NOT_OURS
    }
    assert rules == {(method, rule) for method, rule, *_ in ROWS}


@pytest.mark.parametrize("rule", sorted({rule for _method, rule, *_ in ROWS}))
def test_an_address_answers_no_method_that_is_not_in_the_table(world: World, rule: str) -> None:
    address = next(row[2] for row in ROWS if row[1] == rule)
    known = {method for method, each, *_ in ROWS if each == rule}
    for method in sorted({"GET", "POST", "PUT", "PATCH", "DELETE"} - known):
        for who in ("stranger", "administrator"):
            answer = world.ask(who, method, address)
            assert (answer.status_code, "Allow" in answer.headers) == (405, True), (method, who)


def test_head_is_answered_as_get_is_without_a_word(world: World) -> None:
    for method, _rule, address, answers in ROWS:
        if method == "GET":
            answer = world.ask("stranger", "HEAD", address)
            assert (answer.status_code, answer.data) == (answers[0], b""), address


def test_drafts_are_in_no_count(world: World) -> None:
    for who in NINE:
        answer = world.ask(who, "GET", "/api/v1/practices").get_json()
        assert answer["total"] == 1
        assert all(entry["count"] == 1 for values in answer["facets"].values() for entry in values)


@pytest.mark.parametrize("who", NINE)
def test_drafts_are_in_no_number_on_a_page(world: World, who: str) -> None:
    for path in ("/themes/labour-inclusion", "/regions/ITH5", "/countries/IT", "/practices"):
        page = world.ask(who, "GET", path).text
        assert page.count('href="/practices/seen-by-all"') == 1, path
        assert "1 practice" in page, path


def test_an_editor_publishes_others_submissions_and_not_their_own(world: World) -> None:
    assert world.ask("editor and author", "POST", "/review/{erins}", do="publish").status_code == 403
    assert world.ask("editor and author", "POST", "/review/{sent}", do="publish").status_code == 302


def test_a_colleague_submits_and_takes_back(world: World) -> None:
    assert world.ask("colleague", "POST", "/my/practices/{sent}/withdraw").status_code == 302
    assert world.ask("other member", "POST", "/my/practices/{sent}/withdraw").status_code == 404


def test_a_form_without_its_token_changes_nothing(world: World) -> None:
    alice = world.browser("owner")
    alice.post("/submit", data={"title": "Forged", "do": "save"})
    assert "Forged" not in alice.get("/my/practices").text
