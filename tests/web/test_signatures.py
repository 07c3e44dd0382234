"""What the site signs, it signs with SHA-256: a library that goes back to its own default of SHA-1 is noticed."""

from __future__ import annotations

import base64
import re

from flask.testing import FlaskClient

from tests.conftest import Site


def _bits(signed: str) -> int:
    """How long the signature is that ends a signed value."""
    signature = signed.rpartition(".")[2]
    return 8 * len(base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4)))


def _form(reader: FlaskClient, address: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', reader.get(address).text)
    assert found
    return found[1]


def test_the_cookie_is_signed_with_256_bits(site: Site) -> None:
    reader = site.client()
    reader.get("/sign-in")
    cookie = reader.get_cookie("kb")
    assert cookie is not None
    assert _bits(cookie.value) == 256


def test_the_token_of_a_form_is_signed_with_256_bits(site: Site) -> None:
    assert _bits(_form(site.client(), "/sign-in")) == 256


def test_a_readers_form_without_a_cookie_is_signed_with_256_bits(reading_site: Site) -> None:
    reader = reading_site.client()
    address = re.search(r'href="(/practices/[a-z0-9-]+)"', reader.get("/practices").text)
    assert address
    assert _bits(_form(reader, f"{address[1]}/report")) == 256
