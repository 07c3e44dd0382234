"""The index of a data folder on the Typesense server of a run: an alias for each, on what it was copied from."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

from tests import typesense_server


class TypesensePart:
    """A copy of a folder has the index of what it was copied from, until it is first written to: see keeping.py."""

    def __init__(self) -> None:
        self._met: set[Path] = set()

    @functools.cached_property
    def _server(self) -> typesense_server.Server:
        return typesense_server.server()

    def environment(self, folder: Path) -> dict[str, str]:
        """The setting that leads to a folder's own index; whoever opens it makes it where it is missing."""
        self._met.add(folder.resolve())
        return {"KB_SEARCH_URL": self._server.url(_name(folder))}

    def copy(self, source: Path, target: Path) -> None:
        """Make a folder's index that of another's, if that has any."""
        collection = self._collection(source)
        if collection is not None:
            self._server.ask("PUT", f"/aliases/{_name(target)}", {"collection_name": collection})
            self._met.add(target.resolve())

    def drop(self, folder: Path) -> None:
        """Remove the index of each folder in `folder`, and of itself."""
        folder = folder.resolve()
        for each in {folder, *(met for met in self._met if met.is_relative_to(folder))}:
            self._met.discard(each)
            collection = self._collection(each)
            if collection is not None:
                self._server.ask("DELETE", f"/aliases/{_name(each)}")
                if collection.startswith(f"{_name(each)}-"):
                    self._server.ask("DELETE", f"/collections/{collection}")

    def _collection(self, folder: Path) -> str | None:
        try:
            return str(self._server.ask("GET", f"/aliases/{_name(folder)}")["collection_name"])
        except OSError:
            return None


def _name(folder: Path) -> str:
    """A name for what belongs to a folder, the same in every process of this run."""
    return "kb_" + hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:24]
