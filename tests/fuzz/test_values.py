"""Small values that people and programs write: dates, amounts, addresses, codes, numbers of versions, tokens."""

from __future__ import annotations

import random
import uuid
from datetime import UTC, date, datetime
from email.headerregistry import Address
from urllib.parse import parse_qsl, urlencode, urlsplit

from hypothesis import example, given
from hypothesis import strategies as st

from bench.mutating import mutated_text
from kb.services import browsers, fetching, harvest_reading, notices, postman, query, second_factor, tokens, values
from kb.services.errors import Invalid
from kb.services.fetching import Fetched
from kb.services.transport import POLICY, Refused
from kb.services.vocabularies import Vocabulary
from kb.web import oai_arguments, returning
from kb.web.forms import accounts
from tests.fuzz.strategies import TEXT, mistaken, often

DATES = TEXT | mistaken("2021", "2021-05", "2021-05-31", "2026-11-22T10:00:00Z", "2026-11-22T10:00:00.123+02:00")
URLS = TEXT | mistaken(
    "https://example.org/a?b=c#d", "http://user:pw@example.org:8080/", "https://[2001:db8::1]:443/x", "mailto:a@b.org",
    "https://exämple.org/ü", "http://127.0.0.1:1/",
)  # fmt: skip
EMAILS = TEXT | mistaken("alice@example.org", "a.b+c@sub.exämple.eu", '"a b"@example.org', "x@xn--bcher-kva.example")
KEY = "k" * 40


@often(37)
@given(text=DATES)
def test_a_date_is_read_or_is_no_date(text: str) -> None:
    for read in (values.partial_date, values.full_date):
        try:
            assert isinstance(read(text), date)
        except ValueError:
            continue
        assert text.startswith(f"{read(text).year:04}")
        if read is values.partial_date and text[:4] != "9999":
            assert read(text) < values.partial_date(text, last=True)


@often(37)
@given(text=TEXT | mistaken("2500000", "12.50", ".5", "1200.", "999999999999.99"))
def test_an_amount_is_read_with_its_cents_or_not_at_all(text: str) -> None:
    found = values.amount(text)
    assert found is None or (0 <= found < 10**12 and round(found, 2) == found)


@often(50)
@given(text=URLS)
def test_a_web_address_is_one_that_a_browser_can_go_to(text: str) -> None:
    if values.is_web_address(text):
        parts = urlsplit(text)
        assert parts.scheme in ("http", "https") and parts.hostname


@often(37)
@given(text=EMAILS)
def test_a_mail_address_makes_one_header_or_is_refused(text: str) -> None:
    if not values.is_email(text):
        return
    try:
        address = postman._recipient(text)
    except Refused:
        return
    assert isinstance(address, Address) and "\n" not in str(address) and "\r" not in str(address)


@often(37)
@given(text=TEXT, name=TEXT)
def test_what_stands_in_a_header_of_a_mail_begins_no_other(text: str, name: str) -> None:
    mail = postman.EmailMessage(POLICY)
    mail["Subject"] = postman._line(text)
    mail["From"] = Address(postman._line(name), addr_spec="noreply@example.org")
    mail.set_content("Text.\n")
    head = mail.as_bytes().partition(b"\r\n\r\n")[0]
    lines = [line for line in head.split(b"\r\n") if line[:1] not in b" \t"]
    assert len(lines) == len(mail.keys())


@often(37)
@given(text=URLS)
def test_the_address_of_an_installation_is_kept_in_one_form(text: str) -> None:
    try:
        base = harvest_reading.base_of(text)
    except Invalid:
        return
    assert urlsplit(base).scheme in ("http", "https") and urlsplit(base).hostname and not urlsplit(base).query


@often(37)
@given(text=TEXT | mistaken("93.184.216.34", "::ffff:10.0.0.1", "fe80::1%eth0", "2001:db8::1", "0x7f000001", "127.1"))
def test_what_is_no_public_address_is_not_taken_for_one(text: str) -> None:
    assert fetching.is_public(text) in (True, False)


@often(25)
@given(text=TEXT | mistaken("120", "Wed, 21 Oct 2026 07:28:00 GMT", "Thu, 01 Jan 0001 00:00:00 +2359"))
@example("Fri, 31 Dec 9999 23:59:59 -2359")
def test_what_a_server_asks_to_wait_is_a_number_of_seconds(text: str) -> None:
    answer = Fetched("https://example.org/", 429, {"retry-after": text})
    assert fetching.asked_to_wait(answer, datetime(2026, 11, 23, tzinfo=UTC)) >= 0


@often(50)
@given(params=st.lists(st.tuples(st.sampled_from(query.KNOWN) | TEXT, TEXT | mistaken(
    "ES", "ES51", "housing", "theme:housing", "country:ES", "2026-09-30", "2026-11-22T10:00:00Z", "newest", "100")),
    max_size=6))  # fmt: skip
def test_a_query_is_understood_or_refused_and_a_kept_one_reads_the_same(
    vocabulary: Vocabulary, params: list[tuple[str, str]]
) -> None:
    try:
        asked = query.parse(params, vocabulary).query
    except Invalid as invalid:
        assert invalid.problems and all(str(problem.message) for problem in invalid.problems)
        return
    kept = urlencode(asked.to_params(), errors="surrogatepass")
    assert query.parse(parse_qsl(kept, errors="surrogatepass"), vocabulary).query == asked


OAI = {
    "verb": "ListRecords",
    "metadataPrefix": "oai_dc",
    "from": "2026-11-22",
    "until": "2026-11-22T10:00:00Z",
    "set": "theme:housing",
    "identifier": "oai:example.org:1",
    "resumptionToken": "WyJMaXN0UmVjb3JkcyJd",
}


@often(50)
@given(pairs=st.lists(st.tuples(st.sampled_from(sorted(OAI)) | TEXT, mistaken(*OAI.values()) |
                                st.sampled_from([*oai_arguments.VERBS, "oai_dc"]) | TEXT), max_size=4))  # fmt: skip
def test_a_harvester_is_understood_or_told_what_is_wrong(pairs: list[tuple[str, str]]) -> None:
    try:
        oai_arguments.check(pairs)
        asked = dict(pairs)
        if asked["verb"].startswith("List") and asked["verb"] in ("ListRecords", "ListIdentifiers"):
            assert oai_arguments.listing(asked).done >= 0
        if "identifier" in asked:
            oai_arguments.practice_id("https://example.org", asked["identifier"])
    except oai_arguments.Refused as refused:
        assert refused.code and refused.sentence


# Tokens


@often(50)
@given(seed=st.integers(0, 2**64))
def test_a_token_of_the_api_with_any_slip_is_not_intact(seed: int) -> None:
    chance, token = random.Random(seed), tokens.issued()
    other = mutated_text(chance, token)
    if other.startswith(tokens.PREFIX) and other != token:
        assert not tokens.intact(other)
    assert len(tokens.digest(other)) == 64


@often(50)
@given(seed=st.integers(0, 2**64), whose=st.uuids())
def test_a_signed_link_that_was_changed_opens_nothing_else(seed: int, whose: uuid.UUID) -> None:
    signed = notices.signed_id(KEY, notices.USER, whose)
    other = notices.signed_id(KEY, "another purpose", uuid.UUID(int=whose.int ^ 1))
    found = notices.read_id(KEY, notices.USER, mutated_text(random.Random(seed), signed, [other]))
    assert found in (None, whose)


@often(25)
@given(code=TEXT | mistaken("123456", "123 456"))
def test_a_code_is_right_or_wrong(code: str) -> None:
    secret = second_factor.new_secret()
    assert second_factor.step_of(secret, code, now=1_700_000_000.0) in (None, *range(56666665, 56666670))


@often(25)
@given(text=TEXT | mistaken('[["title","A"],["summary","B"]]', '[["a",["b"]]]', '{"a":1}', "[[[]]]"))
def test_text_that_was_kept_over_a_sign_in_is_pairs_or_nothing(text: str) -> None:
    found = accounts.kept(text)
    if found is not None:
        assert all(isinstance(each, str) for pair in found.items(multi=True) for each in pair)
        assert accounts.kept(accounts.keep(found)) == found or "password" in text.lower() or "csrf" in text.lower()


@often(37)
@given(text=URLS | mistaken("/my/practices", "//evil.example", "/\\evil.example", "/practices?q=a&b=c"))
def test_an_address_to_come_back_to_is_on_this_site(text: str) -> None:
    found = returning.local_path(text)
    assert found in ("", text) and not found.startswith("//") and urlsplit(found).netloc == ""


@often(25)
@given(text=TEXT | mistaken("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"))
def test_what_a_browser_calls_itself_is_kept_in_a_few_signs(text: str) -> None:
    kept = browsers.kept(text)
    assert len(kept) <= 1000 and all(isinstance(each, str) for each in browsers.named(kept))
