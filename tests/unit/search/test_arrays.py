"""Arrays in a file: what was written is read, and what is damaged is found."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from kb.search.port import IndexLost
from kb.search.whoosh.arrays import Texts, read, write

numbers = hnp.arrays(
    st.sampled_from([np.uint8, np.uint32, np.uint64, np.int64, np.float64, np.bool_, np.dtype(">u4")]),
    hnp.array_shapes(min_dims=1, max_dims=2, min_side=0, max_side=9),
)
named = st.dictionaries(st.text(min_size=1, max_size=5), numbers, max_size=6)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with two arrays, one of them empty."""
    path = tmp_path / "some.arrays"
    write(path, [("some", np.arange(100, dtype=np.uint32)), ("none", np.empty((0, 5), np.uint8))])
    return path


@given(named)
def test_what_was_written_is_read(arrays: dict[str, Any]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "some.arrays")
        write(path, arrays.items())
        found = read(path)
        found.check()
        assert list(found) == list(arrays)
        for name, array in arrays.items():
            np.testing.assert_array_equal(found[name], array)
            assert found[name].dtype == array.dtype.newbyteorder("<")


def test_arrays_lie_where_a_processor_reads_them_at_once(path: Path) -> None:
    write(path, [("odd", np.ones(3, np.uint8)), ("even", np.ones(3, np.uint64))])
    assert read(path)["even"].flags.aligned and read(path)["even"].ctypes.data % 64 == 0


def test_nobody_can_write_to_what_was_read(path: Path) -> None:
    with pytest.raises(ValueError, match="read-only"):
        read(path)["some"][0] = 1


def test_a_file_that_is_removed_stays_readable(path: Path) -> None:
    found = read(path)["some"]
    path.unlink()
    assert found.sum() == 4950


def test_a_child_process_reads_what_its_parent_opened(path: Path) -> None:
    found = read(path)["some"]
    child = os.fork()
    if not child:
        os._exit(0 if found.sum() == 4950 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_file_cut_short_anywhere_is_lost(path: Path) -> None:
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(IndexLost):
            read(path)


def test_a_byte_that_changed_is_found(path: Path) -> None:
    """In the header at once, in an array by who looks; between arrays there are some that belong to none."""
    whole = path.read_bytes()
    for place in [*range(400), *range(448, len(whole))]:
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        with pytest.raises(IndexLost):
            read(path).check()


def test_a_longer_file_is_lost(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b".")
    with pytest.raises(IndexLost):
        read(path)


def test_a_file_that_is_not_there_is_another_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "none")


@given(st.lists(st.text(st.characters(codec=None), max_size=5), max_size=9))
def test_texts_come_back_one_by_one_and_all(texts: list[str]) -> None:
    found = Texts.read(dict(Texts.of("some", texts)), "some")
    assert list(found) == [found[place] for place in range(len(found))] == found[:] == texts


def test_there_is_no_text_beyond_the_last() -> None:
    texts = Texts.read(dict(Texts.of("some", ["a", "b"])), "some")
    for place in (-1, 2):
        with pytest.raises(IndexError):
            texts[place]


def test_texts_that_are_not_there_are_lost() -> None:
    with pytest.raises(IndexLost):
        Texts.read({}, "some")
