"""The copies of the database that stay in the data folder: one from before each change of its schema."""

from __future__ import annotations

from pathlib import Path

from kb.services.backup import Home, back_up, clear_away
from kb.services.publishing import now

BEFORE_UPGRADE = "before-upgrade-"
UPGRADES_KEPT = 2
"""Of how many earlier schemas a copy of the database stays in the data folder, one of each."""


def keep(home: Home, schema: str) -> Path:
    """Keep the database, as it is before its schema changes, as a backup without the uploaded files.

    It takes the place of an earlier one of the same schema: an upgrade that fails again and again, or is killed, leaves
    one. Those of other schemas stay until the upgrade has come off: `upgraded`. Returns the new one. Raises what
    `back_up` raises, and then the earlier one stays.
    """
    path = home.folder / f"{BEFORE_UPGRADE}{schema}-{now():%Y%m%dT%H%M%SZ}.backup"
    clear_away(home.folder, f".{BEFORE_UPGRADE}")
    back_up(home, path, files=False)
    for old in _copies(home).get(schema, []):
        if old != path:
            old.unlink(missing_ok=True)
    return path


def upgraded(home: Home) -> None:
    """Let go of the copies before earlier upgrades, now that one has come off: of `UPGRADES_KEPT` schemas one stays."""
    newest_first = sorted(_copies(home).values(), key=lambda copies: _written_at(copies[-1]), reverse=True)
    for number, copies in enumerate(newest_first):
        for old in copies if number >= UPGRADES_KEPT else copies[:-1]:
            old.unlink(missing_ok=True)


def _copies(home: Home) -> dict[str, list[Path]]:
    """The copies before upgrades by schema, of each schema the newest last."""
    found: dict[str, list[Path]] = {}
    for path in sorted(home.folder.glob(f"{BEFORE_UPGRADE}*-*.backup"), key=_written_at):
        found.setdefault(path.name.removeprefix(BEFORE_UPGRADE).rpartition("-")[0], []).append(path)
    return found


def _written_at(path: Path) -> int:
    return path.stat().st_mtime_ns
