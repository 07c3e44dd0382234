"""The folder of an engine: which index in it is live, which files it has, and who may write.

    CURRENT     one JSON object, replaced atomically: the live index, its generation, its files with their sizes
    LOCK        held (flock) while a commit or a swap is under way
    REBUILD     held (flock) while a new index is built beside the live one
    index-<n>/  a Whoosh index

CURRENT is the point of commit. What a killed writer left behind is not named there and goes away with the next writer;
its locks go away with its process.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kb.search.port import IndexLost

LAYOUT = 5
"""The version of what is in an index. One of another version counts as lost, and is built anew."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What CURRENT says: the live folder, its generation, and the bytes of each file that belongs to it."""

    folder: str
    generation: int
    files: Mapping[str, int]


@contextmanager
def damaged_is_lost() -> Iterator[None]:
    """Turn any exception from reading an index into IndexLost: Whoosh has no error of its own for damage."""
    try:
        yield
    except IndexLost:
        raise
    except Exception as error:
        raise IndexLost(f"the index cannot be read: {error!r}") from error


class Store:
    """One folder on disk, shared by all processes that search or write in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def current(self) -> Manifest:
        """Return the live index. Raises IndexLost where it is missing, of another layout, or its files lack bytes."""
        while True:
            with damaged_is_lost():
                written = (self.folder / "CURRENT").read_bytes()
            try:
                return self._checked(written)
            except IndexLost:
                # A writer may have removed files since CURRENT was read: then it names others by now.
                with damaged_is_lost():
                    if (self.folder / "CURRENT").read_bytes() == written:
                        raise

    def _checked(self, written: bytes) -> Manifest:
        with damaged_is_lost():
            said = json.loads(written)
            if said["layout"] != LAYOUT:
                raise IndexLost(f"the index has layout {said['layout']}, this software reads {LAYOUT}")
            manifest = Manifest(said["folder"], said["generation"], said["files"])
            path = self.path(manifest)
            for name, size in manifest.files.items():
                if os.stat(path / name).st_size != size:
                    raise IndexLost(f"{path / name} does not have the {size} bytes that were written")
            return manifest

    def mark(self) -> str:
        """Return a word that changes whenever CURRENT is replaced, without reading it. Raises IndexLost without one."""
        with damaged_is_lost():
            about = os.stat(self.folder / "CURRENT")
        return f"{about.st_mtime_ns:x}-{about.st_ino:x}"

    def path(self, manifest: Manifest) -> Path:
        """Return the folder of an index."""
        return self.folder / manifest.folder

    def commit(self, folder: str, generation: int, names: Iterable[str], known: Container[str] = ()) -> Manifest:
        """Make an index of these files the live one, safe against loss of power; `known` files are on disk already."""
        path = self.folder / folder
        files = {name: os.stat(path / name).st_size for name in sorted(names)}
        for name in files:
            if name not in known:
                _sync(path / name)
        _sync(path)
        written = {"layout": LAYOUT, "folder": folder, "generation": generation, "files": files}
        new = self.folder / "CURRENT.new"
        new.write_text(json.dumps(written))
        _sync(new)
        new.replace(self.folder / "CURRENT")
        _sync(self.folder)
        return Manifest(folder, generation, files)

    def tidy(self, manifest: Manifest) -> None:
        """Remove from the folder of an index what does not belong to it; readers that have it open keep their view."""
        for entry in os.scandir(self.path(manifest)):
            if entry.is_dir():
                shutil.rmtree(entry.path)
            elif entry.name not in manifest.files:
                os.unlink(entry.path)

    def new_index(self) -> str:
        """Make the next folder for an index and return its name. Hold `rebuilding` around it."""
        numbers = [int(path.name.removeprefix("index-")) for path in self._indexes()]
        name = f"index-{max(numbers, default=0) + 1}"
        (self.folder / name).mkdir()
        return name

    def remove_indexes(self, except_for: str | None) -> None:
        """Remove the folders of all other indexes. Hold `rebuilding` around it, or one just being built would go."""
        for path in self._indexes():
            if path.name != except_for:
                shutil.rmtree(path)

    def live_folder(self) -> str | None:
        """Return the name of the live folder, or None where there is none that can be read."""
        try:
            return self.current().folder
        except IndexLost:
            return None

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the right to change the live index; waits for others, in this process and elsewhere."""
        with self._locked("LOCK"):
            yield

    @contextmanager
    def rebuilding(self) -> Iterator[None]:
        """Hold the right to build a new index. The live one goes on and can be written to."""
        with self._locked("REBUILD"):
            yield

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        # The kernel lets go when the file is closed, so also when the process is killed: no lock outlives its owner.
        handle = os.open(self.folder / name, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _indexes(self) -> list[Path]:
        return [path for path in self.folder.glob("index-*") if path.name.removeprefix("index-").isdecimal()]


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
