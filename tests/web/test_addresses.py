"""Addresses that are worked out once are those that `url_for` makes."""

from __future__ import annotations

from flask import url_for
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kb.web.addresses import address, practice_url
from tests.conftest import Site


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(slug=st.from_regex(r"[a-z0-9-]{1,30}", fullmatch=True) | st.text("aé/ %?#", min_size=1).map("x".__add__))
def test_the_page_of_a_practice_is_where_flask_puts_it(reading_site: Site, slug: str) -> None:
    with reading_site.app.test_request_context("/"):
        assert practice_url(slug) == url_for("catalogue.practice", slug=slug)


def test_a_site_below_a_path_has_addresses_of_its_own(reading_site: Site) -> None:
    for root in ("", "/base", ""):
        with reading_site.app.test_request_context("/", environ_overrides={"SCRIPT_NAME": root}):
            assert address("pages.about") == f"{root}/about"
            assert practice_url("a-b") == f"{root}/practices/a-b"


def test_without_a_page_addresses_are_whole_and_none_is_kept(reading_site: Site) -> None:
    app = reading_site.app
    before = app.config["SERVER_NAME"]
    app.config["SERVER_NAME"] = "kb.example.org"
    try:
        with app.app_context():
            assert address("pages.help").startswith("http://kb.example.org")
    finally:
        app.config["SERVER_NAME"] = before
    with app.test_request_context("/"):
        assert address("pages.help") == "/help"
