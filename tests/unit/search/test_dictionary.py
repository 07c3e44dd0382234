"""Whoosh finds in the dictionary that numpy wrote what it would find in its own."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from whoosh.codec.whoosh3 import W3TermInfo
from whoosh.filedb.filetables import OrderedHashReader

from kb.search.whoosh.codec import Codec, Files
from kb.search.whoosh.dictionary import TermsWriter
from kb.search.whoosh.inverted import Inverted


def inverted(terms: list[bytes]) -> Inverted:
    """A field in which the term number n stands in the documents n to 2n."""
    sizes = np.arange(1, len(terms) + 1)
    documents = np.concatenate([np.empty(0, int), *(np.arange(n, 2 * n + 1) for n in range(len(terms)))])
    bounds = np.concatenate(([0], np.cumsum(sizes)))
    return Inverted(terms, bounds, documents.astype(np.uint32), np.empty((len(documents), 0), np.uint8), np.empty(0))


def check(folder: Path, fields: dict[str, list[bytes]], absent: list[bytes]) -> None:
    with closing(Files(folder)) as files:
        segment = Codec().new_segment(files, "index")
        with closing(TermsWriter(files, segment)) as writer:
            for name, terms in fields.items():
                writer.add(name, inverted(terms))
        reader = OrderedHashReader.open(files, segment.make_filename(".trm"))
        assert list(reader.extras["fieldmap"]) == list(fields)
        keys = [number.to_bytes(2, "big") + term for number, terms in enumerate(fields.values()) for term in terms]
        assert list(reader.keys()) == keys
        for number, terms in enumerate(fields.values()):
            prefix = number.to_bytes(2, "big")
            for place, term in enumerate(terms):
                info = W3TermInfo.from_bytes(reader[prefix + term])
                assert (info.doc_frequency(), info.min_id(), info.max_id()) == (place + 1, place, 2 * place)
                assert info.extent()[0] == sum(range(place + 1))
                assert reader.closest_key(prefix + term) == prefix + term
            assert all(prefix + term not in reader for term in absent)
        assert reader.closest_key(b"\xff\xff\xff") is None


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.sets(st.binary(min_size=1, max_size=3), max_size=40), max_size=3), st.binary(min_size=4, max_size=5))
def test_every_term_is_found_and_no_other(tmp_path: Path, fields: list[set[bytes]], absent: bytes) -> None:
    check(tmp_path, {f"f{number}": sorted(terms) for number, terms in enumerate(fields)}, [absent])


@pytest.mark.parametrize("count", [0, 1, 5000])
def test_tables_full_enough_to_run_over_their_end_are_read(tmp_path: Path, count: int) -> None:
    check(tmp_path, {"words": sorted(f"term{number}".encode() for number in range(count))}, [b"term", b"term-1"])
