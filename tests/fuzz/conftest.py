"""The site that is asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import stack
from tests.conftest import Site, configure
from tests.fuzz.pages import Town


@pytest.fixture(scope="session")
def town(town_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A site with something on every page; what one example changes is undone before the next."""
    folder = stack.copy(town_folder, tmp_path_factory.mktemp("town") / "data")
    town = Town(Site(configure(folder, KB_OPEN_REGISTRATION="on")))
    yield town
    town.close()
