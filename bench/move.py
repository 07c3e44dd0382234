"""How long a base takes to PostgreSQL and back, and whether what arrives is what was there: `python -m bench move`.

The base is one that people have worked in (bench/lived_in.py). It is moved by the command, in a process of its own,
whose memory is looked at; what is exported from both is compared in every byte. Then it is moved to another database
and killed again and again on the way. The server is the tests' own, in memory, but told to be as careful as it is.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click

from bench import lived_in
from bench.generate import Generator
from kb.db import Database
from kb.formats import json as records_json
from kb.services import vocabularies
from kb.services.files import Store
from tests import postgres

RESULTS = Path(__file__).parent / "results"
CAREFUL = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
KILLED_AT = (0.3, 0.45, 0.6, 0.75)
"""After which parts of the time that the first move took the second is killed, one run after the other."""

EXPORTS = ("json", "jsonl", "csv")
MB = 1 << 20


class Ran(NamedTuple):
    """One run of a command: what it said, seconds, bytes of memory at most, and whether it was killed."""

    said: str
    seconds: float
    memory: int
    killed: bool


@click.command()
@click.option("--docs", default=10_000, show_default=True, help="Practices.")
@click.option("--keep", type=click.Path(file_okay=False, path_type=Path), help="Where the base is kept for next time.")
def move(docs: int, keep: Path | None) -> None:
    """Move a base from SQLite to PostgreSQL and back, whole and killed on the way; compare what is exported."""
    if reason := postgres.available():
        raise click.ClickException(reason)
    with _folder(keep, docs) as folder, postgres.cluster(**CAREFUL) as server:
        make(folder, docs)
        found = {"docs": docs, **measure(folder, server)}
    line = json.dumps(found)
    click.echo(line)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"move-{docs}.json").write_text(line + "\n", encoding="utf-8")


@contextlib.contextmanager
def _folder(keep: Path | None, docs: int) -> Iterator[Path]:
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="kb-move-") as name:
            yield Path(name)
    else:
        folder = keep / str(docs)
        folder.mkdir(parents=True, exist_ok=True)
        yield folder


def make(folder: Path, docs: int) -> None:
    """Make the base where it is not there yet: records are imported, then people work in it."""
    if (folder / "made").exists():
        return
    listed = folder / "records.jsonl"
    with listed.open("w", encoding="utf-8") as file:
        file.writelines(records_json.lines(Generator(1).records(docs)))
    run(folder, "import", listed, "--as", "published")
    database = Database(f"sqlite:///{folder / 'data' / 'kb.sqlite'}")
    with database.read() as session:
        vocabulary = vocabularies.load(session)
    lived_in.work(database, Store(folder / "data" / "files"), vocabulary, members=40)
    database.close()
    (folder / "made").touch()


def measure(folder: Path, server: postgres.Server) -> dict[str, Any]:
    """Move the base there, there with interruptions, and back. Fails where anything exported is not the same."""
    here = exported(folder, "")
    there, other, back = server.create("whole"), server.create("killed"), f"sqlite:///{folder / 'back.sqlite'}"
    (folder / "back.sqlite").unlink(missing_ok=True)
    looked = run(folder, "move", "--dry-run", there)
    moved = run(folder, "move", there)
    again = run(folder, "move", there)
    _compare(here, exported(folder, there), "moved")
    runs = [run(folder, "move", other, kill_after=part * moved.seconds) for part in KILLED_AT]
    resumed = re.findall(r"(\d+) tables were there", "".join(each.said for each in [*runs, run(folder, "move", other)]))
    _compare(here, exported(folder, other), "killed and run again")
    returned = run(folder, "move", back, url=there)
    _compare(here, exported(folder, back), "moved back")
    rows = int(re.findall(r"([\d,]+) rows", moved.said)[0].replace(",", ""))
    return {
        "rows": rows, "megabytes": round((folder / "data" / "kb.sqlite").stat().st_size / MB),
        "seconds": {"looked": looked.seconds, "moved": moved.seconds, "found there": again.seconds,
                    "back": returned.seconds},
        "memory": {"moved": moved.memory // MB, "back": returned.memory // MB},
        "killed": sum(each.killed for each in runs), "tables found by the last run": int(resumed[0]) if resumed else 0,
        "bytes exported, the same everywhere": sum(map(len, here.values())),
    }  # fmt: skip


def exported(folder: Path, url: str) -> dict[str, bytes]:
    """Everything that can be exported of the base at an address, or of the one in the folder."""
    found = {}
    for ending in EXPORTS:
        path = folder / f"all.{ending}"
        run(folder, "export", path, url=url)
        found[ending] = path.read_bytes()
        path.unlink()
    return found


def _compare(here: dict[str, bytes], there: dict[str, bytes], how: str) -> None:
    for ending in EXPORTS:
        if here[ending] != there[ending]:
            raise click.ClickException(f"What was {how} is exported otherwise as {ending}.")


def run(folder: Path, *words: object, url: str = "", kill_after: float | None = None) -> Ran:
    """Run one of the software's commands, killing it after so many seconds. Fails where it ends otherwise than well."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KB_")}
    env = {**kept, "KB_DATA_DIR": str(folder / "data"), "KB_DATABASE_URL": url}
    began = time.perf_counter()
    with (folder / "said").open("w") as said:
        command = [sys.executable, "-m", "kb", *map(str, words)]
        process = subprocess.Popen(command, env=env, stdout=said, stderr=said)  # noqa: S603 (our own program)
        if kill_after is not None:
            time.sleep(kill_after)
            os.kill(process.pid, signal.SIGKILL)  # where it has ended it waits to be asked about, and this does nothing
        _pid, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = round(time.perf_counter() - began, 1)
    text = (folder / "said").read_text()
    if process.returncode not in (0, -signal.SIGKILL):
        raise click.ClickException(text)
    return Ran(text, seconds, usage.ru_maxrss * 1024, process.returncode != 0)
