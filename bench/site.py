"""How fast a search page of a running site is, beside datasette's on the same records: `python -m bench site`.

Both are real servers on records of 500 words in four languages, imported by the software's own command, and answer the
same mixed questions with twenty results and all facets. No question is asked twice, and no cache of HTTP is used: what
is timed is a page, from the first byte sent to the last of the answer, over a connection that is open. The sites are
asked in turn, so that both meet the same noise. What both count is compared before anything is timed.

To some questions one of them has no answer, a misspelt one above all: an empty page costs nearly nothing, so such pages
are summed up by themselves, beside those that both answer and beside all.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import click
import numpy as np

from bench import datasette_site
from bench.asked import KINDS, Asked, Questions
from bench.generate import SEED, Generator
from bench.serving import descendants, running
from kb.formats import json as records_json

RESULTS = Path(__file__).parent / "results"
WARMING = 24
"""Pages that each site is asked for before anything is timed."""

COMPARED = 12
"""Questions of one exact word for which totals and facets are compared."""

CONNECTIONS = 4
"""Connections at once, where pages a second are counted."""

PATIENCE = 120.0
"""Seconds until a page must be there."""

ALL, BOTH, EMPTY = "all", "both answer", "one is empty"
"""Rows of the table that sum up several kinds of question."""


class Timed(NamedTuple):
    """A question's kind, milliseconds of our page and of datasette's, and whether practices stand on both."""

    kind: str
    ours: float
    theirs: float
    answered: bool = True


class Page(NamedTuple):
    """Milliseconds that a page took, and whether there is anything on it."""

    milliseconds: float
    found: bool


@click.command()
@click.option("--docs", default=10_000, show_default=True, help="Records.")
@click.option("--pages", default=240, show_default=True, help="Pages that each site is timed with.")
@click.option(
    "--keep", type=click.Path(file_okay=False, path_type=Path), help="Where the bases are kept for next time."
)
@click.option("--seed", default=1, show_default=True, help="Another seed, other questions.")
def site(docs: int, pages: int, keep: Path | None, seed: int) -> None:
    """Time cold search pages beside datasette's; prints a table and a line of JSON, kept in bench/results/."""
    with _folder(keep, docs) as folder:
        make(folder, docs)
        questions = Questions(records(folder), seed)
        found = measure(folder, questions, pages)
    found = {"docs": docs, **found}
    click.echo(report(found))
    line = json.dumps(found)
    click.echo(line)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"site-{docs}.json").write_text(line + "\n", encoding="utf-8")


# The two bases


@contextlib.contextmanager
def _folder(keep: Path | None, docs: int) -> Iterator[Path]:
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="kb-site-") as name:
            yield Path(name)
    else:
        folder = keep / str(docs)
        folder.mkdir(parents=True, exist_ok=True)
        yield folder


def make(folder: Path, docs: int) -> None:
    """Make what is missing of the records, of our data folder and of datasette's file."""
    listed = folder / "records.jsonl"
    if not listed.exists():
        new = listed.with_suffix(".new")
        with new.open("w", encoding="utf-8") as file:
            file.writelines(records_json.lines(Generator(1).records(docs)))
        new.replace(listed)
    if not (folder / "imported").exists():
        command = [sys.executable, "-m", "kb", "import", str(listed), "--as", "published"]
        subprocess.run(command, env=_environment(folder), check=True)  # noqa: S603 (our own program)
        (folder / "imported").touch()
    path = folder / datasette_site.FILE
    if not path.exists():
        datasette_site.build(path, records(folder))


def records(folder: Path) -> Iterator[dict[str, Any]]:
    """The records of both."""
    with (folder / "records.jsonl").open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def _environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KB_")}
    return {**kept, "KB_DATA_DIR": str(folder / "data"), "KB_LIMITS": "off"}


# Measuring


def measure(folder: Path, questions: Questions, pages: int) -> dict[str, Any]:
    """Compare what both find, then time them. Fails where they do not count the same."""
    asked = questions.asked()
    settings = {name: value for name, value in _environment(folder).items() if name.startswith("KB_")}
    with datasette_site.running(folder / datasette_site.FILE) as (their_port, their_process):
        with running({**settings, "KB_WORKERS": "1"}) as our_port, _both(our_port, their_port) as (ours, theirs):
            compare(ours, theirs, questions.words(COMPARED))
            for each in islice(asked, WARMING):
                ours.page(each)
                theirs.page(each)
            before = processor_time(their_process)
            timed = [_timed(each.kind, ours.page(each), theirs.page(each)) for each in islice(asked, pages)]
            spent = [after - earlier for after, earlier in zip(processor_time(their_process), before, strict=True)]
        with running(settings) as our_port:
            rates = {
                "ours": rate(lambda: _Ours(our_port), list(islice(asked, pages))),
                "datasette": rate(lambda: _Theirs(their_port), list(islice(asked, pages))),
            }
    server = {name: round(each / pages, 2) for name, each in zip(("ours", "datasette"), spent, strict=True)}
    return {"pages": pages, "milliseconds": summary(timed), "server_milliseconds": server, "pages_per_second": rates}


def processor_time(their_process: int) -> tuple[float, float]:
    """Milliseconds of processor time that our server's processes and datasette's took: what they have by themselves,
    whoever else is at work on the machine.
    """
    tick = 1000 / os.sysconf("SC_CLK_TCK")
    spent = {each: (int(stat[11]) + int(stat[12])) * tick for each, stat in descendants().items()}
    theirs = spent.pop(their_process, 0.0)
    return sum(spent.values()), theirs


def _timed(kind: str, ours: Page, theirs: Page) -> Timed:
    return Timed(kind, ours.milliseconds, theirs.milliseconds, ours.found and theirs.found)


def summary(timed: Sequence[Timed]) -> dict[str, dict[str, float]]:
    """Medians and 95th percentiles of both, in milliseconds, and how many times as long datasette takes: of all pages,
    of those on which both have something, of the others, and by kind.
    """
    found = {}
    for kind in (ALL, BOTH, EMPTY, *KINDS):
        rows = np.array([row[1:3] for row in timed if kind in (ALL, BOTH if row.answered else EMPTY, row.kind)])
        if len(rows):
            (ours, theirs), (ours_95, theirs_95) = np.percentile(rows, (50, 95), axis=0).tolist()
            found[kind] = {
                "ours": round(ours, 2), "ours_p95": round(ours_95, 2), "datasette": round(theirs, 2),
                "datasette_p95": round(theirs_95, 2), "pages": len(rows), "ratio": round(theirs / ours, 2),
                "ratio_p95": round(theirs_95 / ours_95, 2),
            }  # fmt: skip
    return found


def rate(connect: Callable[[], _Site], asked: Sequence[Asked]) -> float:
    """Pages a second over several connections, each of which asks for its share, after one page to warm up."""
    shares = [asked[number::CONNECTIONS] for number in range(CONNECTIONS)]
    ready = threading.Barrier(CONNECTIONS + 1)
    failed: list[BaseException] = []

    def work(share: Sequence[Asked]) -> None:
        try:
            with contextlib.closing(connect()) as each:
                each.page(share[0])
                ready.wait(PATIENCE)
                for one in share[1:]:
                    each.page(one)
        except BaseException as error:
            failed.append(error)
            ready.abort()

    threads = [threading.Thread(target=work, args=(share,)) for share in shares]
    for thread in threads:
        thread.start()
    with contextlib.suppress(threading.BrokenBarrierError):
        ready.wait(PATIENCE)
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return round((len(asked) - CONNECTIONS) / (time.perf_counter() - began), 1)


def compare(ours: _Ours, theirs: _Theirs, words: Sequence[str]) -> None:
    """Ask both for single words as they stand. Raises ClickException where totals or facets are not the same."""
    names = datasette_site.region_names(SEED)
    for word in words:
        if word in names:
            continue
        (ours_total, ours_facets), (theirs_total, theirs_facets) = ours.counts(word), theirs.counts(word)
        if ours_total != theirs_total:
            raise click.ClickException(f"For {word!r} we find {ours_total}, datasette {theirs_total}.")
        wrong = [name for name, counts in ours_facets.items() if counts != theirs_facets[name]]
        if wrong:
            raise click.ClickException(f"For {word!r} we count otherwise than datasette: {', '.join(wrong)}.")


class _Site:
    """One connection to a site, kept open."""

    something = b""
    """What stands on a page on which there is a practice."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def page(self, asked: Asked) -> Page:
        """Ask for a page. Raises ClickException where it is none."""
        address = self.address(asked)
        began = time.perf_counter()
        status, body = self._get(address)
        taken = (time.perf_counter() - began) * 1000
        if status != 200 or b"<html" not in body[:200]:
            raise click.ClickException(f"{address} answered {status}.")
        return Page(taken, self.something in body)

    def address(self, asked: Asked) -> str:
        """Where the page of a question is."""
        raise NotImplementedError

    def _get(self, address: str) -> tuple[int, bytes]:
        self._connection.request("GET", address)
        answer = self._connection.getresponse()
        return answer.status, answer.read()


class _Ours(_Site):
    something = b'class="hit"'

    def address(self, asked: Asked) -> str:
        text = " ".join(asked.words)
        if asked.kind == "either":
            text = " OR ".join(asked.words)
        elif asked.kind == "phrase":
            text = f'"{text}"'
        elif asked.kind == "beginning":
            text += "*"
        filters = [("country", asked.country), ("theme", asked.theme)] if asked.country else []
        return f"/practices?{urlencode([('q', text), *filters])}"

    def counts(self, word: str) -> tuple[int, dict[str, dict[str, int]]]:
        """The total and the facets of a word as it stands."""
        asked = urlencode({"q": f'"{word}"'})
        _status, body = self._get(f"/api/v1/practices?{asked}")
        answer = json.loads(body)
        facets = {}
        for name in (*datasette_site.SINGLE, *datasette_site.MANY):
            facets[name] = {each["value"]: each["count"] for each in answer["facets"][name] if each["count"]}
        return answer["total"], facets


class _Theirs(_Site):
    something = b'class="rows-and-columns"'

    def address(self, asked: Asked) -> str:
        return datasette_site.address(asked)

    def counts(self, word: str) -> tuple[int, dict[str, dict[str, int]]]:
        """The same from datasette."""
        _status, body = self._get(datasette_site.address(Asked("rare", (word,)), ".json", _facet_size="max"))
        return datasette_site.total_and_facets(json.loads(body))


@contextlib.contextmanager
def _both(our_port: int, their_port: int) -> Iterator[tuple[_Ours, _Theirs]]:
    with contextlib.closing(_Ours(our_port)) as ours, contextlib.closing(_Theirs(their_port)) as theirs:
        yield ours, theirs


def report(found: dict[str, Any]) -> str:
    """The table."""
    rates = found["pages_per_second"]
    lines = [
        f"{found['docs']} records, {found['pages']} cold search pages each, milliseconds",
        f"{'':<14}{'pages':>6}{'ours':>8}{'p95':>8}{'datasette':>11}{'p95':>9}{'times':>8}{'p95':>7}",
    ]
    for kind, each in found["milliseconds"].items():
        lines.append(
            f"{kind:<14}{each['pages']:>6}{each['ours']:>8.1f}{each['ours_p95']:>8.1f}{each['datasette']:>11.1f}"
            f"{each['datasette_p95']:>9.1f}{each['ratio']:>8.1f}{each['ratio_p95']:>7.1f}"
        )
    server = found["server_milliseconds"]
    lines.append(f"processor time of the server for a page: ours {server['ours']}, datasette {server['datasette']}")
    lines.append(f"pages a second, {CONNECTIONS} connections: ours {rates['ours']}, datasette {rates['datasette']}")
    return "\n".join(lines)
