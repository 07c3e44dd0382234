"""What readers and writers notice when a part of a large installation dies: `python -m bench failover`.

PostgreSQL, three nodes of Typesense, two web servers and nginx, as `deploy/` has it, with made-up practices. First it
is asked as fast as it answers: that is its saturation. Then visitors come at a share of that pace, and one after the
other the search cluster loses its leader, one web server all its processes, and the database is started anew.

A window begins with each blow, and each return, and ends with the last fault that is followed by seconds without one.
Afterwards everything that was acknowledged has to be there, the index has to hold what the database does, and no
request may have failed outside of a window.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import numpy as np
from sqlalchemy import func, select

from bench.generate import Generator
from bench.live import get, pages
from bench.promised import missing
from bench.sizes import sizes
from bench.stand import Stand, standing, why_not
from bench.traffic import AT_ONCE, PEOPLE, Answered, Traffic, email, excusable
from kb.db import Database
from kb.formats import json as records_json
from kb.models import IndexOutbox, Record, Role, User
from kb.services import tokens
from tests import factories

RESULTS = Path(__file__).parent / "results"
CLIENTS = (4, 8, 16)
HEAL = 5.0
"""Seconds without a fault after which a window is over."""

WINDOW = 60.0
"""Seconds after which a window has to be over: later faults count as faults outside of any."""

PATIENCE = 180.0
"""Seconds in which everything has to be as before."""


@dataclass
class Outcome:
    """What came of it; moments are seconds since the steady pace began."""

    saturation: dict[int, float] = field(default_factory=dict)
    rate: float = 0.0
    began: float = 0.0
    blows: list[tuple[str, float]] = field(default_factory=list)
    answered: list[Answered] = field(default_factory=list)
    acknowledged: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    logged: Counter[str] = field(default_factory=Counter)
    """Faults of the software, by the last line of each trace in the web servers' logs."""
    turned_away: int = 0
    settled: float = 0.0
    """Seconds after the last visit until both web servers found what is public."""


@click.command()
@click.option("--docs", default=10_000, show_default=True, help="Practices that are there from the beginning.")
@click.option("--share", default=0.7, show_default=True, help="The steady pace, as a share of the saturation.")
@click.option("--probe", default=20.0, show_default=True, help="Seconds for each number of clients.")
@click.option("--calm", default=45.0, show_default=True, help="Seconds before the first blow and between two.")
@click.option("--away", default=20.0, show_default=True, help="Seconds for which what was killed stays away.")
@click.option("--search", type=click.Choice(["typesense", "whoosh"]), default="typesense", show_default=True,
              help="whoosh: both web servers on one data folder, to try the drill itself out.")  # fmt: skip
def failover(docs: int, share: float, probe: float, calm: float, away: float, search: str) -> None:
    """Kill one part after the other under reading and writing; prints a table and a line of JSON."""
    if reason := why_not(search):
        raise click.ClickException(reason)
    with tempfile.TemporaryDirectory(prefix="kb-failover-") as name, standing(Path(name), search) as stand:
        began = time.monotonic()
        token = fill(stand, docs)
        filled = time.monotonic() - began
        outcome = drill(stand, token, share, probe, calm, away)
        taken = sizes(stand)
    result = {**summary(outcome, docs, search, share), "fill_seconds": round(filled, 1), "sizes": taken}
    click.echo(report(result))
    line = json.dumps(result)
    click.echo(line)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"failover{'' if search == 'typesense' else '-whoosh'}.json").write_text(line + "\n", encoding="utf-8")
    for sentence in [*outcome.lost, *outcome.faults][:20]:
        click.echo(sentence, err=True)
    if outcome.lost or outcome.faults or result["outside"]:
        raise click.ClickException("Something was lost, wrong, or failed outside of a window.")


def fill(stand: Stand, docs: int) -> str:
    """Make the base with so many practices and those who write; returns a token for the API."""
    web = stand.webs[0]
    listed = stand.folder / "records.jsonl"
    with listed.open("w", encoding="utf-8") as file:
        file.writelines(records_json.lines(Generator(1).records(docs)))
    for command in (("init",), ("seed",), ("import", str(listed), "--as", "published")):
        done = web.run(*command)
        if done.returncode:
            raise click.ClickException(f"{command[0]}: {done.stderr[-3000:]}")
    database = Database(stand.url)
    with database.write() as session:
        for kind, count in PEOPLE.items():
            for number in range(count):
                factories.person(session, email(kind, number), Role.EDITOR if kind == "publish" else Role.MEMBER)
        session.flush()
        program = session.scalars(select(User).where(User.email == email("API", 0))).one()
        token = tokens.make(session, program)
    database.close()
    return token


def drill(stand: Stand, token: str, share: float, probe: float, calm: float, away: float) -> Outcome:
    """Find the saturation, hold a share of it, strike, look."""
    outcome = Outcome()
    traffic = Traffic(stand.serve(), pages(stand.webs[0].port), token)
    traffic.sign_in()
    traffic.flat_out(CLIENTS[0], min(5.0, probe))  # every process compiles its templates once
    outcome.saturation = {clients: traffic.flat_out(clients, probe) for clients in CLIENTS}
    outcome.rate = share * max(outcome.saturation.values())
    before, over = len(traffic.seen), threading.Event()
    outcome.began = time.monotonic()
    visiting = threading.Thread(target=traffic.steadily, args=(outcome.rate, over))
    visiting.start()
    try:
        for blow in _blows(stand, calm, away):
            outcome.blows.append((blow, time.monotonic() - outcome.began))
            click.echo(f"{outcome.blows[-1][1]:6.0f} s  {blow}", err=True)
    finally:
        over.set()
        visiting.join()
    outcome.answered, outcome.turned_away = traffic.seen[before:], traffic.turned_away
    outcome.acknowledged += traffic.ledger.counts
    outcome.faults += traffic.ledger.faults
    _look(stand, traffic, outcome)
    return outcome


def _blows(stand: Stand, calm: float, away: float) -> Iterator[str]:
    """Strike, and yield the name of each blow at the moment in which it falls."""
    time.sleep(calm)
    if stand.cluster is not None:
        leader = stand.cluster.leader()
        yield "the search cluster's leader is killed"
        leader.kill()
        time.sleep(away)
        yield "it comes back"
        leader.start()
        time.sleep(calm)
    yield "all processes of one web server are killed"
    stand.webs[1].kill()
    time.sleep(away)
    yield "they come back"
    stand.webs[1].start()
    stand.webs[1].wait()
    time.sleep(calm)
    yield "the database is started anew"
    stand.database.restart()
    time.sleep(calm)


# Afterwards


def _look(stand: Stand, traffic: Traffic, outcome: Outcome) -> None:
    """Compare what was promised with what is there, and the index with the database."""
    database = Database(stand.url)
    try:
        began = time.monotonic()
        for web in stand.webs:
            _until(lambda web=web: _found(web.port) == _public(database), f"port {web.port} finds what is public")
        outcome.settled = time.monotonic() - began
        outcome.lost += missing(database, stand.files, traffic.ledger)
        for practice, word in traffic.ledger.published.items():
            if (found := _found(stand.webs[0].port, word)) != 1:
                outcome.lost.append(f"{practice} was published, and a word of its title finds {found}")
    finally:
        database.close()
    for number, web in enumerate(stand.webs, 1):
        for trace in web.traces():
            outcome.logged[trace.strip().rpartition("\n")[2][:200]] += 1
            if len(outcome.logged) == outcome.logged.total():  # the first of each kind is worth reading
                click.echo(trace, err=True)
        done = web.run("check")
        if done.returncode:
            outcome.faults.append(f"check on web server {number}: {done.stdout[-1500:]} {done.stderr[-1500:]}")


def _until(holds: Any, what: str) -> None:
    until = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > until:
            raise click.ClickException(f"It never came to be that {what}.")
        time.sleep(0.2)


def _public(database: Database) -> int:
    """How many practices are public; -1 while the index has not taken all changes in."""
    with database.read() as session:
        if session.scalar(select(func.count()).select_from(IndexOutbox)):
            return -1
        return session.scalar(select(func.count()).select_from(Record)) or 0


def _found(port: int, word: str = "") -> int:
    status, text = get(port, f"/api/v1/practices?per_page=1&q={word}")
    return int(json.loads(text)["total"]) if status == 200 else -2


# What came of it


def summary(outcome: Outcome, docs: int, search: str, share: float) -> dict[str, Any]:
    """The figures: visits and requests a second, and for each window its seconds, its faults, the times of answers."""
    starts = [moment for _, moment in outcome.blows]
    answered = sorted((each.moment - outcome.began, each) for each in outcome.answered)
    held: list[list[tuple[float, Answered]]] = [[] for _ in starts]
    outside: list[str] = []
    for moment, each in answered:
        if not each.fault:
            continue
        at = int(np.searchsorted(starts, moment)) - 1
        last = held[at][-1][0] if at >= 0 and held[at] else None
        # the first fault after a blow may come late: a change that nobody asked for yet
        if (
            at >= 0
            and moment - starts[at] <= WINDOW
            and (last is None or moment - last <= HEAL)
            and excusable(each.fault)
        ):
            held[at].append((moment, each))
        else:
            outside.append(f"{moment:.1f} s {each.kind} {each.fault}")
    windows = []
    for (name, start), faults in zip(outcome.blows, held, strict=True):
        end = faults[-1][0] if faults else start
        slow = [each.seconds for moment, each in answered if start <= moment <= start + max(HEAL, end - start)]
        windows.append({
            "blow": name, "at": round(start, 1), "seconds": round(end - start, 2), "failed": len(faults),
            "kinds": dict(Counter(f"{each.kind}: {each.fault}" for _, each in faults).most_common()),
            "p95_ms": _p(slow, 95), "longest_ms": _p(slow, 100),
        })  # fmt: skip
    seconds = answered[-1][0] if answered else 0.0
    return {
        "docs": docs, "search": search, "cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1),
        "saturation": {str(clients): round(rate, 1) for clients, rate in outcome.saturation.items()},
        "share": share, "visits_per_second": round(outcome.rate, 1), "seconds": round(seconds, 1),
        "requests": len(answered), "requests_per_second": round(len(answered) / seconds, 1) if seconds else 0.0,
        "p50_ms": _p([each.seconds for _, each in answered], 50), "p95_ms": _p([e.seconds for _, e in answered], 95),
        "acknowledged": dict(outcome.acknowledged), "windows": windows, "failed": sum(map(len, held)) + len(outside),
        "outside": outside[:50], "turned_away": outcome.turned_away, "lost": len(outcome.lost),
        "faults": len(outcome.faults), "logged": dict(outcome.logged), "settled_seconds": round(outcome.settled, 1),
    }  # fmt: skip


def _p(seconds: Sequence[float], percent: float) -> float:
    return round(1000 * float(np.percentile(seconds, percent)), 1) if seconds else 0.0


def report(result: Mapping[str, Any]) -> str:
    """The figures, for people."""
    rates = ", ".join(f"{rate} ({clients} clients)" for clients, rate in result["saturation"].items())
    lines = [
        f"{result['docs']} practices, PostgreSQL and {result['search']}, two web servers behind nginx, "
        f"{result['cores']} cores that visit, too (load {result['load']})",
        f"Visits a second at most: {rates}; held {result['visits_per_second']} ({result['share']:.0%})",
        f"{result['requests']} requests in {result['seconds']:g} s, median {result['p50_ms']} ms, "
        f"p95 {result['p95_ms']} ms; {result['failed']} failed, {len(result['outside'])} of them outside of a window; "
        f"{result['turned_away']} visits while {AT_ONCE} were under way",
        f"{'window':<46}{'at':>7}{'seconds':>9}{'failed':>8}{'p95 ms':>9}{'longest':>9}",
    ]
    for each in result["windows"]:
        lines.append(
            f"{each['blow']:<46}{each['at']:>7.0f}{each['seconds']:>9.2f}{each['failed']:>8}{each['p95_ms']:>9.0f}"
            f"{each['longest_ms']:>9.0f}"
        )
        lines += [f"    {kind}: {count}" for kind, count in each["kinds"].items()]
    lines += [f"outside: {each}" for each in result["outside"][:10]]
    kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(result["acknowledged"].items()))
    lines.append(f"Acknowledged: {kinds}. Lost: {result['lost']}. Faults: {result['faults']}.")
    lines += [f"Logged: {line} ({count} times)" for line, count in result["logged"].items()]
    lines.append(f"All that is public was found {result['settled_seconds']} s after the last visit.")
    if taken := result.get("sizes"):
        lines.append(f"Filled in {result['fill_seconds']} s. " + ", ".join(f"{k}: {v}" for k, v in taken.items()))
    return "\n".join(lines)
