"""Logs: a record a line, in two forms, with the request's number and nobody's data."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb import logs
from kb.logs import Asked, JsonLines, TextLines

TOKEN = "ripkb_Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MEFCQ0RFRkc"


@pytest.fixture(autouse=True)
def no_request() -> Iterator[None]:
    """Outside of any request, before and after."""
    logs.end()
    yield
    logs.end()


def record(message: str, *values: Any, name: str = "kb.test", error: BaseException | None = None, **fields: Any) -> Any:
    held = logging.LogRecord(
        name,
        logging.WARNING,
        __file__,
        1,
        message,
        values,
        (type(error), error, error.__traceback__) if error else None,
    )
    vars(held).update(fields)
    return held


def as_json(*values: Any, **named: Any) -> dict[str, Any]:
    line = JsonLines().format(record(*values, **named))
    found: dict[str, Any] = json.loads(line)
    return found


def raised(message: object) -> BaseException:
    try:
        raise ValueError(message)
    except ValueError as error:
        return error


def test_a_line_of_json_has_time_level_logger_message_and_fields() -> None:
    line = as_json("an index of %d rows", 7, ms=1.5, path="/practices/<slug>")
    assert line.pop("time").endswith("Z") and line.pop("process") > 0
    assert line == {"level": "warning", "logger": "kb.test", "message": "an index of 7 rows", "ms": 1.5,
                    "path": "/practices/<slug>"}  # fmt: skip


def test_a_line_has_the_number_of_its_request_and_none_outside_one() -> None:
    logs.begin(Asked("abc12345"))
    assert as_json("x")["request"] == "abc12345" == logs.request_number()
    assert "[abc12345]" in TextLines().format(record("x"))
    logs.end()
    assert "request" not in as_json("x") and not logs.request_number()


def test_a_field_cannot_take_the_place_of_what_every_line_has() -> None:
    assert as_json("x", level="debug", time="never")["level"] == "warning"


def test_an_exception_is_one_field_with_its_trace_and_its_cause() -> None:
    try:
        try:
            raise KeyError("first")
        except KeyError as cause:
            raise ValueError("second") from cause
    except ValueError as error:
        told = as_json("x", error=error)["exception"]
    assert "KeyError: 'first'" in told and told.endswith("ValueError: second")
    assert told.count("Traceback (most recent call last):") == 2 and "direct cause" in told
    assert 'raise KeyError("first")' in told


def test_addresses_of_mail_and_secrets_are_left_out_of_what_is_filled_in_and_of_exceptions() -> None:
    for line in (
        as_json("nobody takes %s", "mail for <maria.rossi@regione.example.it>"),
        as_json("nobody takes %s", ValueError("maria.rossi@regione.example.it")),
        as_json("x", error=raised(f"maria.rossi@regione.example.it brought {TOKEN}")),
        as_json("550 maria.rossi@regione.example.it", name="smtplib"),
    ):
        assert "maria" not in str(line) and "[address]" in str(line) and TOKEN not in str(line)


def test_the_hash_of_a_file_is_no_secret() -> None:
    assert "ab" * 32 in as_json("%s is missing", "ab" * 32)["message"]


def test_what_a_request_brought_along_is_left_out_and_the_messages_own_words_stay() -> None:
    long = "Mentors from Zanzibar meet newcomers. " * 10
    logs.begin(Asked("abc12345", lambda: ["Nurses in Wrocław", "missing", "a", long]))
    line = as_json("nothing is missing but %s", "nurses", error=raised(f"no such WROCŁAW: {long} in a table"))
    assert line["message"] == "nothing is missing but [left out]"
    assert line["exception"].endswith("ValueError: no such [left out]: [left out] in a table")


def test_words_of_a_long_text_stay_where_they_stand_alone() -> None:
    logs.begin(Asked("abc12345", lambda: ["the constraint failed for some reason " * 10]))
    assert as_json("x", error=raised("UNIQUE constraint failed"))["exception"].endswith("UNIQUE constraint failed")


def test_a_library_that_names_the_address_asked_for_is_heard_without_it() -> None:
    line = as_json("Exception while serving /preview/abc?q=nurses", name="waitress")
    assert line["message"] == "Exception while serving [path]"
    line = as_json("Invalid request from ip=192.0.2.7: Invalid line: 'GET /x'", name="gunicorn.error")
    assert "192.0.2.7" not in line["message"]


def test_a_message_that_is_wrong_itself_still_says_something() -> None:
    assert as_json("%d of %d", "x")["message"] == "%d of %d"


def test_what_an_exception_says_has_an_end() -> None:
    for said in ("x" * 1_000_000, "x y " * 250_000):  # and it is found in one pass, not in a square of them
        assert len(as_json("found %s", said, error=raised(said))["exception"]) < logs.MOST + 500


def test_an_address_at_the_end_of_what_is_kept_is_not_told_by_half() -> None:
    assert "maria" not in as_json("x", error=raised("x " * 990 + "maria.rossi@regione.example.it"))["exception"]


@given(st.text(), st.dictionaries(st.from_regex(r"[a-z]{1,8}_", fullmatch=True), st.text(), max_size=3))
def test_whatever_is_filled_in_a_record_stays_a_line(text: str, fields: dict[str, str]) -> None:
    made = record("found %s", text, **fields)
    assert isinstance(json.loads(JsonLines().format(made)), dict)
    assert len(TextLines().format(made).splitlines()) == 1


def test_the_log_goes_to_standard_error_in_the_form_that_was_set_last(capsys: pytest.CaptureFixture[str]) -> None:
    root, level = logging.getLogger(), logging.getLogger("kb").level
    before = list(root.handlers)
    try:
        logs.set_up("json")
        logs.set_up("text")
        logging.getLogger("kb.test").info("said once")
        logging.getLogger("library").info("not said")
        assert [handler for handler in root.handlers if handler not in before] == root.handlers[len(before) :]
    finally:
        root.handlers[:] = before
        logging.getLogger("kb").setLevel(level)
    out, err = capsys.readouterr()
    assert not out and err.count("said once") == 1 and not err.startswith("{") and "not said" not in err
    assert sys.stderr is not None
