"""The address of a Typesense cluster: read whole or refused, and its key told to nobody."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as some

from kb.config import SettingError
from kb.search.typesense.address import COLLECTION, PORT, Address, Node, parse
from tests.conftest import configure

KEY = "s3cret/Key@1"


def address(rest: str, scheme: str = "typesense") -> Address:
    """What is read from an address with a key."""
    return parse(f"{scheme}://{quote(KEY, safe='')}@{rest}")


def test_nodes_key_and_collection_are_read() -> None:
    read = address("search1.example.eu:8108,10.0.0.2:18108,[::1]:8109/national")
    assert read.nodes == (Node("search1.example.eu", 8108), Node("10.0.0.2", 18108), Node("[::1]", 8109))
    assert (read.collection, read.tls, read.key) == ("national", False, KEY)


def test_what_is_left_out_has_its_default() -> None:
    read = address("search")
    assert (read.nodes, read.collection) == ((Node("search", PORT),), COLLECTION)


def test_typesenses_is_https() -> None:
    assert address("search/practices", "typesenses").tls


@given(some.text(some.characters(codec="ascii", exclude_categories=("Cc", "Zs")), min_size=1))
def test_every_key_of_signs_can_be_written(key: str) -> None:
    assert parse(f"typesense://{quote(key, safe='')}@search").key == key


@pytest.mark.parametrize(
    "rest",
    [
        "",
        "search,,other",
        "search:0",
        "search:65536",
        "search:http",
        "se arch",
        "[::1",
        "search/a/b",
        "search/ä",
        "search/a?b",
    ],
)
def test_a_mistake_is_told_without_the_key(rest: str, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"KB_SEARCH_URL must .*\.$") as refused:
        configure(tmp_path, KB_SEARCH_URL=f"typesense://{quote(KEY, safe='')}@{rest}")
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["typesense://search:8108/practices", "typesense://@search", "typesense://a%20b@search"]
)
def test_an_address_without_a_key_that_can_be_sent_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="KB_SEARCH_URL must have"):
        configure(tmp_path, KB_SEARCH_URL=url)


def test_the_key_is_in_no_representation(tmp_path: Path) -> None:
    config = configure(tmp_path, KB_SEARCH_URL=f"typesense://{quote(KEY, safe='')}@search")
    assert "s3cret" not in repr(config)
    assert "s3cret" not in repr(parse(config.search_url))
