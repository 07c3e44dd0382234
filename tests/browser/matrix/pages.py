"""Every page of the site, in each state that looks different. `{name}` in an address is one of `world.rich`.

A page with an address that is new belongs here, or among EXCEPTIONS with its reason: a test holds that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class State:
    """One page in one state, and how to get there.

    `who` reads it: someone of the world, or None for a stranger. `fill` says what is typed in which field (True ticks
    it, a form goes to this address), `press` which button of the form is sent then; `click` opens something without
    leaving the page. `status` is what the last page is answered with. `fresh` names what is made anew before each visit
    because a visit uses it up (`world.FRESH`). `kind` spreads the choice for `make test` over pages that look alike.
    `empty` asks for it on a site without practices.
    """

    name: str
    address: str
    who: str | None = None
    status: int = 200
    kind: str = "page"
    fill: Mapping[str, str | bool] = field(default_factory=dict)
    press: str | None = None
    click: str | None = None
    fresh: str | None = None
    empty: bool = False


def _listed(kind: str, *states: tuple[object, ...], who: str | None = None) -> tuple[State, ...]:
    """States of a kind, from (name, address) or (name, address, {field: value})."""
    made = []
    for name, address, *more in states:
        values: dict[str, object] = {"who": who, "kind": kind}
        values |= more[0] if more and isinstance(more[0], dict) else {}
        made.append(State(str(name), str(address), **values))  # type: ignore[arg-type]
    return tuple(made)


SEND = "main form[method=post] :is(button:not([name]), button[type=submit], .actions button)"
"""The first button that sends the page's form."""

READING = _listed(
    "reading",
    ("home", "/"),
    ("about", "/about"),
    ("open data", "/data"),
    ("help", "/help"),
    ("privacy", "/privacy"),
    ("api", "/api"),
    ("accessibility", "/accessibility"),
    ("codebook", "/codebook"),
    ("themes", "/themes"),
    ("theme", "/themes/housing"),
    ("regions", "/regions"),
    ("region found", "/regions?q=cat"),
    ("region not found", "/regions?q=zzzz"),
    ("region", "/regions/ES51"),
    ("region of which too little is known", "/regions/XK00"),
    ("regions like mine", "/regions/like-mine"),
    ("regions like mine, of a country", "/regions/like-mine?mine=Spain"),
    ("regions like mine, none", "/regions/like-mine?mine=zzzz", {"status": 400}),
    ("practices from regions like Navarra", "/practices?region_like=ES22"),
    ("practices from regions like none", "/practices?region_like=XK00"),
    ("country", "/countries/IT"),
    ("country without practices", "/countries/JP"),
    ("map", "/map"),
    ("map, filtered", "/map?theme=housing&country=ES"),
    ("map, none", "/map?q=zzzz"),
    ("coverage", "/coverage"),
    ("coverage, filtered", "/coverage?q=women&status=running"),
)

SEARCHING = _listed(
    "searching",
    ("all practices", "/practices"),
    ("many results", "/practices?q=work&per_page=50"),
    ("filtered", "/practices?q=talent&level=regional&evidence=monitoring"),
    ("last page", "/practices?page=4"),
    ("no results", "/practices?q=zzzz&country=ES&year_from=2010"),
    ("respelt", "/practices?q=houssing"),
    ("also searched", "/practices?q=vivienda"),
    ("filters open", "/practices?q=talent", {"click": "#filter:visible, #found-heading"}),
    ("results for who is signed in", "/practices?q=talent", {"who": "rita"}),
    ("download open", "/practices?q=talent", {"click": ".take summary"}),
    ("menu open", "/themes", {"click": ".menu-btn[popovertarget=nav]:visible, h1"}),
    ("languages open", "/themes", {"click": ".langs summary:visible, .menu-btn[popovertarget=nav]:visible"}),
    ("bad filter", "/practices?country=XX", {"status": 400}),
    ("practice, some on the shortlist", "/practices/catalonia-acol-line?p=bizkaia-talent&p=auvergne-new-deal"),
    ("practice on the shortlist", "/practices/catalonia-acol-line?p=catalonia-acol-line&p=auvergne-new-deal"),
    ("results, some on the shortlist", "/practices?q=talent&p=bizkaia-talent&p=auvergne-new-deal"),
    ("bad filter and a good one", "/practices?country=XX&theme=housing", {"status": 400}),
)

PRACTICE = _listed(
    "practice",
    ("practice", "/practices/catalonia-acol-line"),
    ("practice that was stopped", "/practices/livadia-estia-apartments"),
    ("practice with much", "/practices/arad-cross-border-labour-market"),
    ("practice, short and overdue", "/practices/{public}"),
    ("practice for its editor", "/practices/{public}", {"who": "bob"}),
    ("practice for its owner", "/practices/{public}", {"who": "alice"}),
    ("practice, archived", "/practices/{archived}"),
    ("practice that another was merged into", "/practices/{into}"),
    ("practice, offline", "/practices/{offline}", {"status": 404}),
    ("practice, unknown format", "/practices/{public}.pdf", {"status": 404}),
    ("versions", "/practices/{public}/versions"),
    ("versions, one redacted", "/practices/{redacted}/versions"),
    ("version", "/practices/{public}/versions/1"),
    ("version, redacted", "/practices/{redacted}/versions/1", {"status": 410}),
    ("difference of versions", "/practices/{public}/versions/1...3"),
    ("report", "/practices/{public}/report"),
    ("report, errors", "/practices/{public}/report", {"press": SEND, "fill": {"#email": "x"}, "status": 422}),
    ("report, sent", "/practices/{public}/report", {"press": SEND, "fill": {"#body": "The year is another one."}}),
    ("transfer check", "/practices/catalonia-acol-line/transfer-check"),
    (
        "transfer check, errors",
        "/practices/{public}/transfer-check",
        {"press": "main form[method=get] .actions button", "fill": {"#region": "Nowhere"}, "status": 400},
    ),
    ("transfer check, damaged", "/practices/catalonia-acol-line/transfer-check?c=1.1.ES22", {"status": 400}),
    ("transfer check, result", "/practices/catalonia-acol-line/transfer-check?c={answers}", {"who": "rita"}),
    ("transfer check, result of another version", "/practices/{public}/transfer-check?c={answers}"),
    ("contact", "/practices/{public}/contact", {"who": "charlie"}),
    ("contact, errors", "/practices/{public}/contact", {"who": "charlie", "press": SEND, "status": 422}),
    ("contact, nobody", "/practices/catalonia-acol-line/contact", {"who": "charlie"}),
    ("claim", "/practices/{claimable}/claim", {"who": "charlie"}),
    (
        "claim, too late",
        "/practices/{claimable}/claim",
        {
            "who": "charlie",
            "press": SEND,
            "status": 409,
            "fill": {"main form[method=post]": "/practices/{offline}/claim", "#reason": "I have run it since 2012."},
        },
    ),
    ("claim, errors", "/practices/{claimable}/claim", {"who": "charlie", "press": SEND, "status": 422}),
    ("claim, waiting", "/practices/bizkaia-talent/claim", {"who": "charlie"}),
    ("adoptions", "/practices/{public}/adoptions"),
    ("adoptions, to decide", "/practices/{public}/adoptions", {"who": "bob"}),
    (
        "adoptions, errors",
        "/practices/{into}/adoptions",
        {"who": "charlie", "press": "main form[action$=adoptions] button.btn-primary", "status": 422},
    ),
    ("adoptions, archived", "/practices/{archived}/adoptions"),
    ("adoption to change", "/adoptions/{adoption}", {"who": "charlie"}),
    ("preview of a draft", "/preview/{preview}"),
    ("preview, over", "/preview/{preview_over}", {"status": 410}),
)

COMPARED = "p=castilla-la-mancha-return-of-talent&p=auvergne-new-deal&p=catalonia-acol-line"

CHOOSING = _listed(
    "choosing",
    ("compare", f"/compare?{COMPARED}"),
    ("compare two, one archived", "/compare?p={public}&p={archived}"),
    ("compare, nothing chosen", "/compare"),
    ("compare, one", "/compare?p=auvergne-new-deal"),
    ("compare, five", f"/compare?{COMPARED}&p=scotland-fresh-talent&p=ireland-look-west", {"status": 400}),
    ("compare, one unknown", "/compare?p=auvergne-new-deal&p=nowhere", {"status": 404}),
    ("briefing", f"/briefing?{COMPARED}&question=How do we keep skilled people?&audience=The council"),
    ("briefing, question too long", f"/briefing?p=auvergne-new-deal&question={'why%20' * 80}", {"status": 400}),
    ("shortlist of a visitor", f"/shortlist?{COMPARED}"),
    ("shortlist of an account", "/shortlist?p=auvergne-new-deal", {"who": "alice"}),
)

COMING_IN = _listed(
    "form",
    ("sign in", "/sign-in"),
    ("sign in, failed", "/sign-in", {"press": SEND, "status": 401,
                                     "fill": {"#email": "alice@example.org", "#password": "wrong"}}),
    ("sign in, code", "/sign-in", {"press": SEND, "fill": {"#email": "frank@example.org", "#password": "PASSWORD"}}),
    ("sign in first", "/my/practices"),
    ("link", "/link/{link}"),
    ("link, used", "/link/{used}", {"status": 410}),
    ("link, unknown", "/link/unknown", {"status": 404}),
    ("invitation", "/invitation/{invitation}"),
    ("invitation, errors", "/invitation/{invitation}", {"press": SEND, "fill": {"#password": "short"}, "status": 422}),
    ("invitation, unknown", "/invitation/unknown", {"status": 404}),
    ("register", "/register"),
    ("register, errors", "/register", {"press": SEND, "fill": {"#email": "x"}, "status": 422}),
    ("register, sent", "/register", {"press": SEND, "fill": {
        "#name": "Nora Late", "#email": "nora@example.net", "#organisation": "Town of Ghent", "#reason": "To write.",
        "#password": "PASSWORD"}}),
    ("register, confirmed", "/register/{registering}", {"press": SEND, "fresh": "registering",
                                                        "fill": {"#password": "PASSWORD"}}),
    ("register, confirm", "/register/{registration}"),
    ("register, wrong password", "/register/{registration}", {"press": SEND, "fill": {"#password": "wrong"},
                                                               "status": 422}),
    ("reset", "/reset"),
    ("reset, errors", "/reset", {"press": SEND, "status": 422}),
    ("reset, sent", "/reset", {"press": SEND, "fill": {"#email": "nobody@example.org"}}),
    ("reset, new password", "/reset/{reset}"),
    ("reset, too short", "/reset/{reset}", {"press": SEND, "fill": {"#password": "short"}, "status": 422}),
    ("reset, unknown", "/reset/unknown", {"status": 404}),
    ("unsubscribe", "/unsubscribe/{unsubscribe}"),
    ("unsubscribe, unknown", "/unsubscribe/unknown", {"status": 404}),
    ("stop a search", "/unsubscribe/search/{search}"),
    ("stop a search, stopped", "/unsubscribe/search/{search}", {"press": SEND}),
    ("stop a search, unknown", "/unsubscribe/search/unknown", {"status": 404}),
)  # fmt: skip

ERRORS = _listed(
    "error",
    ("not found", "/nowhere", {"status": 404}),
    ("practice not found", "/practices/nowhere", {"status": 404}),
    ("not allowed", "/review", {"who": "rita", "status": 403}),
    ("question too long", "/practices?q=" + "a+" * 2000, {"status": 400}),
)

ACCOUNT = _listed(
    "account",
    ("account", "/account"),
    ("account without a password", "/account", {"who": "nina"}),
    ("address", "/account/address"),
    ("address, errors", "/account/address", {"press": SEND, "status": 422}),
    ("address, sent", "/account/address", {"press": SEND, "who": "dora", "fill": {"#email": "dora@example.net",
                                                                                 "#current": "PASSWORD"}}),
    ("address, confirm", "/account/address/{address}"),
    ("password", "/account/password"),
    ("password, errors", "/account/password", {"press": SEND, "status": 422}),
    ("sessions", "/account/sessions"),
    ("tokens", "/account/tokens"),
    ("tokens, errors", "/account/tokens", {"press": SEND, "status": 422}),
    ("tokens, made", "/account/tokens", {"press": "main form[method=post] .actions button", "fresh": "token",
                                         "fill": {"#name": "Our database", "#current": "PASSWORD"}}),
    ("second factor, setting up", "/account/second-factor"),
    (
        "second factor, wrong code",
        "/account/second-factor",
        {"press": SEND, "fill": {"#code": "000000"}, "status": 422},
    ),
    ("second factor", "/account/second-factor", {"who": "frank"}),
    ("second factor, new codes", "/account/second-factor/codes", {"who": "frank"}),
    ("second factor, new codes made", "/account/second-factor/codes", {"who": "frank", "press": SEND, "fresh": "code",
                                                                       "fill": {"#code": "CODE"}}),
    ("second factor, off", "/account/second-factor/off", {"who": "frank"}),
    ("second factor, off, errors", "/account/second-factor/off", {"who": "frank", "press": SEND, "status": 422}),
    ("data", "/account/data"),
    ("mail", "/account/mail"),
    ("searches", "/account/searches"),
    ("searches, none", "/account/searches", {"who": "rita"}),
    (
        "searches, errors",
        "/account/searches",
        {"press": "main details form[method=post] button", "status": 422, "fill": {"main [name=name]": ""}},
    ),
    ("transfer checks", "/account/transfer-checks"),
    ("delete account", "/account/delete"),
    ("delete account, errors", "/account/delete", {"press": SEND, "status": 422}),
    who="alice",
)  # fmt: skip

WRITING = _listed(
    "writing",
    ("mine", "/my/practices"),
    ("mine, none", "/my/practices", {"who": "eve"}),
    ("submit", "/submit"),
    ("submit, errors", "/submit", {"press": "main button[value=submit]", "fill": {"#title": "Ours"}, "status": 422}),
    ("draft", "/my/practices/{draft}/edit"),
    ("draft, typed and not saved", "/my/practices/{typed}/edit"),
    ("draft, terms suggested", "/my/practices/{twin}/edit", {"press": "main button[name=suggest][value='']"}),
    ("draft, put away", "/my/practices/{away}/edit"),
    ("update of a public one", "/my/practices/{alices}/edit"),
    ("asked to change", "/my/practices/{asked}/edit"),
    ("turned down", "/my/practices/{refused}/edit"),
    ("waiting", "/my/practices/{sent}/edit"),
    ("waiting, in review", "/my/practices/{taken}/edit"),
    ("conflict", "/my/practices/{draft}/edit", {"press": "main button[value=save]", "status": 409, "fill": {
        "input[name=seen]": "1", "#title": "Another title than theirs", "#place": "Modena", "#summary": "Mine."}}),
    ("preview of one's own", "/my/practices/{draft}/preview"),
    ("duplicates", "/my/practices/{twin}/duplicates"),
    ("questions", "/my/practices/{asked}/questions"),
    ("history", "/my/practices/{alices}/history"),
    ("history, a text", "/my/practices/{draft}/history/1"),
    ("history, difference", "/my/practices/{draft}/history/1...2"),
    ("sharing", "/my/practices/{draft}/sharing"),
    ("sharing, errors", "/my/practices/{draft}/sharing", {"press": "main form[action$=offers] button", "status": 422}),
    ("offer", "/offers/{offer}", {"who": "charlie"}),
    ("files", "/my/practices/{draft}/files"),
    ("files, none", "/my/practices/{typed}/files"),
    ("files, errors", "/my/practices/{typed}/files", {"press": SEND, "status": 422}),
    ("put away", "/my/practices/{draft}/step/abandon"),
    ("still correct", "/my/practices/{alices}/still-correct"),
    who="alice",
)  # fmt: skip

EDITING = _listed(
    "editing",
    ("queue", "/review"),
    ("review", "/review/{sent}"),
    ("review, taken", "/review/{taken}"),
    ("review of an update", "/review/{update}"),
    ("review, errors", "/review/{sent}", {"press": "main button[value=request-changes]", "status": 422}),
    ("review, asked to change", "/review/{asked}"),
    ("review, published", "/review/{alices}"),
    ("review, stale", "/review/{sent}", {"press": "main button[value=publish]", "fill": {"input[name=seen]": "0"},
                                         "status": 409}),
    ("mend", "/review/{sent}/mend"),
    ("mend, errors", "/review/{sent}/mend", {"press": SEND, "status": 422}),
    ("dashboard", "/review/dashboard"),
    ("dashboard, ownerless", "/review/dashboard?list=ownerless"),
    ("dashboard, incomplete", "/review/dashboard?list=incomplete"),
    ("dashboard, reported", "/review/dashboard?list=reported"),
    ("dashboard, adopted", "/review/dashboard?list=adopted"),
    ("offline", "/review/offline"),
    ("other installations", "/admin/harvest"),
    ("import", "/admin/import"),
    ("import, errors", "/admin/import", {"press": SEND, "status": 422}),
    ("import, looked at", "/admin/import/{staged}"),
    ("import, unfit", "/admin/import/{unfit}"),
    ("changed elsewhere", "/my/practices/{changed_there}/harvest"),
    ("gone elsewhere", "/my/practices/{gone_there}/harvest"),
    ("take offline", "/review/{alices}/step/unpublish"),
    ("take offline, errors", "/review/{alices}/step/unpublish", {"press": SEND, "status": 422}),
    ("put online again", "/review/{offline_id}/step/republish"),
    ("claims", "/review/claims"),
    ("claims, errors", "/review/claims", {"press": "main button[value=refuse]", "status": 422}),
    ("reports", "/review/reports"),
    ("reports, errors", "/review/reports", {"press": "main form[method=post] button", "status": 422}),
    ("merge", "/review/{alices}/merge"),
    ("merge, found", "/review/{alices}/merge?into=talent"),
    ("merge, side by side", "/review/{alices}/merge?into=/practices/{into}"),
    ("merged", "/review/{other}/merge"),
    ("reassign", "/review/reassign?q=public"),
    ("reassign, errors", "/review/reassign?q=public", {"press": "main button[value=look]", "status": 422}),
    ("reassign, looked at", "/review/reassign?q=public", {"press": "main button[value=look]", "fill": {
        "input[name=all]": True, "#to": "charlie@example.org"}}),
    who="bob",
)  # fmt: skip

ADMIN = _listed(
    "admin",
    ("admin", "/admin"),
    ("users", "/admin/users"),
    ("users, none found", "/admin/users?q=zzzz"),
    ("user", "/admin/users/{alice}"),
    ("user, disabled", "/admin/users/{sue}"),
    ("user, errors", "/admin/users/{alice}", {"press": "main form[action$='{alice}'] button", "fill": {"#name": "",
                                              "#organisation": "x" * 300}, "status": 422}),
    ("invitations", "/admin/invitations"),
    ("invitations, errors", "/admin/invitations", {"press": "main form[action$=invitations] .actions button",
                                                   "status": 422}),
    ("organisations", "/admin/organisations"),
    ("organisations, errors", "/admin/organisations", {"press": SEND, "status": 422}),
    ("organisation", "/admin/organisations/{body}"),
    ("vocabularies", "/admin/vocabularies"),
    ("new term", "/admin/vocabularies/themes"),
    ("new term, errors", "/admin/vocabularies/themes", {"press": SEND, "status": 422}),
    ("term", "/admin/vocabularies/themes/housing"),
    ("redact", "/admin/practices/{redacted_id}/redact"),
    ("redact, errors", "/admin/practices/{redacted_id}/redact", {"press": SEND, "status": 422}),
    ("audit", "/admin/audit"),
    ("audit, none", "/admin/audit?object=zzzz"),
    ("mail queue", "/admin/mail"),
    ("mail texts", "/admin/mail/texts"),
    ("mail text", "/admin/mail/texts/reset/en"),
    ("mail text, previewed", "/admin/mail/texts/reset/en", {"press": "main button[value=preview]"}),
    ("mail text, errors", "/admin/mail/texts/reset/en", {"press": "main button[value=keep]", "fill": {"#body": "{x}"},
                                                         "status": 422}),
    who="dora",
)  # fmt: skip

EMPTY = (
    State("empty home", "/", kind="empty", empty=True),
    State("empty practices", "/practices", kind="empty", empty=True),
    State("register by invitation", "/register", kind="empty", empty=True),
    State("empty theme", "/themes/housing", kind="empty", empty=True),
    State("empty map", "/map", kind="empty", empty=True),
    State("empty coverage", "/coverage", kind="empty", empty=True),
    State("empty queue", "/review", "bob", kind="empty", empty=True),
    State("empty dashboard", "/review/dashboard", "bob", kind="empty", empty=True),
    State("empty reports", "/review/reports", "bob", kind="empty", empty=True),
    State("empty claims", "/review/claims", "bob", kind="empty", empty=True),
    State("empty offline", "/review/offline", "bob", kind="empty", empty=True),
    State("empty other installations", "/admin/harvest", "bob", kind="empty", empty=True),
    State("empty reassign", "/review/reassign", "bob", kind="empty", empty=True),
    State("empty admin", "/admin", "dora", kind="empty", empty=True),
    State("empty mail queue", "/admin/mail", "dora", kind="empty", empty=True),
    State("empty organisations", "/admin/organisations", "dora", kind="empty", empty=True),
)

STATES: tuple[State, ...] = (
    *READING, *SEARCHING, *PRACTICE, *CHOOSING, *COMING_IN, *ERRORS, *ACCOUNT, *WRITING, *EDITING, *ADMIN, *EMPTY
)  # fmt: skip

EXCEPTIONS = {
    "/healthz": "plain text",
    "/readyz": "plain text",
    "/metrics": "figures for Prometheus",
    "/robots.txt": "plain text",
    "/.well-known/security.txt": "plain text",
    "/security-policy.txt": "plain text",
    "/favicon.ico": "leads to the icon",
    "/practices.<suffix>": "a file to take away",
    "/practices/<stem:slug>.<suffix:suffix>": "a file to take away",
    "/practices/<stem:slug>/versions/<int:number>.<suffix:suffix>": "a file to take away",
    "/compare.docx": "a file to take away",
    "/briefing.docx": "a file to take away",
    "/adoptions.<suffix>": "a file to take away",
    "/snapshot.zip": "a file to take away",
    "/codebook.csv": "a file to take away",
    "/coverage.csv": "a file to take away",
    "/import/template.<suffix>": "a file to take away",
    "/admin/import/<uuid:staged_id>/refused.csv": "a file to take away",
    "/oai": "XML for harvesters",
    "/catalog.ttl": "Turtle",
    "/vocabularies/<name>.ttl": "Turtle",
    "/sitemap.xml": "XML for search engines",
    "/sitemap/pages.xml": "XML for search engines",
    "/sitemap/practices-<int:number>.xml": "XML for search engines",
    "/feed.atom": "a feed for feed readers",
    "/language/<code>": "leads back to the page it came from",
    "/suggest": "JSON for the search box, whose list test_suggest.py looks at",
    "/api/v1/practices": "JSON",
    "/api/v1/practices/<slug>": "JSON",
    "/api/v1/practices/<slug>/adoptions": "JSON",
    "/api/v1/practices/<slug>/versions": "JSON",
    "/api/v1/practices/<slug>/versions/<int:number>": "JSON",
    "/api/v1/my/practices": "JSON",
    "/api/v1/my/practices/<name>": "JSON",
    "/api/v1/facets": "JSON",
    "/api/v1/openapi.json": "JSON",
    "/api/v1/themes": "JSON",
    "/api/v1/target-groups": "JSON",
    "/api/v1/regions": "JSON",
    "/api/v1/regions/<code>/alike": "JSON",
    "/api/v1/coverage": "JSON",
    "/files/<name>": "a picture or a document",
    "/preview/<token>/files/<name>": "a picture or a document",
    "/sign-in/code": "is there only between the two steps of signing in: the state “sign in, code”",
    "/admin/registrations": "leads to /admin/invitations",
    "/admin/freshness": "leads to the dashboard",
    "/admin/audit.csv": "a table to download",
    "/styleguide": "off in production; test_styleguide.py looks at it",
}
"""Addresses that are read with GET and are no page of this list, with the reason."""
