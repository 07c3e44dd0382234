"""What Lighthouse says of the pages on a phone: `python -m bench lighthouse`.

A real server on the whole seed, Debian's Chromium, Lighthouse's own phone with its slow line. npx fetches Lighthouse
when it is first needed. A busy machine makes the scores of speed worse, so the load is printed with them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import click

from bench.serving import running
from kb import config as settings
from kb import create_app
from kb.db import Database
from kb.models import Role
from kb.services import accounts, seeding, sessions, setup
from kb.web.accounts import TOKEN

LIGHTHOUSE = "lighthouse@12.8.2"

FLAGS = "--headless=new --no-sandbox --disable-background-networking"

PAGES = {
    "home": "/",
    "practice": "/practices/catalonia-acol-line",
    "results": "/practices?q=work",
    "form": "/submit",
}
"""Results and form are not to be indexed, so their score of what search engines want says nothing."""

TRIES = 3
"""Lighthouse now and then loses its browser before it has begun."""

WHO = "member@example.org"


@click.command()
@click.option("--runs", default=3, help="Runs of each page; the one in the middle by speed counts.")
def lighthouse(runs: int) -> None:
    """Print Lighthouse's scores for four pages, and the bytes that each fetches with an empty cache."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if shutil.which("npx") is None or chromium is None:
        raise click.ClickException("npx and Chromium are needed.")
    os.environ["CHROME_PATH"] = chromium
    with tempfile.TemporaryDirectory() as folder:
        env = {"KB_DATA_DIR": folder, "KB_SECRET_KEY": "k" * 40}
        cookie = _prepare(env)
        with running(env) as port:
            for name, path in PAGES.items():
                found = [_report(f"http://127.0.0.1:{port}{path}", cookie if name == "form" else "")
                         for _ in range(runs)]  # fmt: skip
                _say(name, sorted(found, key=lambda each: _score(each, "performance"))[runs // 2])


def _prepare(env: dict[str, str]) -> str:
    """Fill a data folder with the seed and a member; returns the cookie of a browser that they are signed in with."""
    config = settings.load(env)
    database = Database(config.database_url)
    setup.migrate(database)
    with database.write() as session:
        seeding.seed(session)
        member = accounts.add_user(session, WHO, Role.MEMBER, name="Member")
        token = sessions.open_session(session, member)
    database.close()
    app = create_app(config)
    signer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    return f"kb={signer.dumps({TOKEN: token})}"


def _report(url: str, cookie: str) -> dict[str, Any]:
    """Lighthouse's report on a page."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "report.json"
        headers = Path(folder) / "headers.json"
        headers.write_text(json.dumps({"Cookie": cookie} if cookie else {}))
        command = ["npx", "--yes", LIGHTHOUSE, url, "--quiet", f"--chrome-flags={FLAGS}", "--output=json",
                   f"--output-path={file}", f"--extra-headers={headers}"]  # fmt: skip
        for _ in range(TRIES):
            done = subprocess.run(command, check=False, timeout=300, capture_output=True, text=True)  # noqa: S603 (nothing of a reader's)
            if done.returncode == 0:
                break
        else:
            raise click.ClickException(done.stderr.strip())
        report: dict[str, Any] = json.loads(file.read_text())
        return report


def _score(report: dict[str, Any], category: str) -> int:
    return round(100 * (report["categories"][category]["score"] or 0))


def _say(name: str, report: dict[str, Any]) -> None:
    """Print the scores, the times and what is not at its best."""
    audits = report["audits"]
    scores = ", ".join(f"{each} {_score(report, each)}" for each in report["categories"])
    size = round(audits["total-byte-weight"]["numericValue"])
    paint = audits["largest-contentful-paint"]["displayValue"].replace("\xa0", " ")
    moved = audits["cumulative-layout-shift"]["displayValue"]
    click.echo(f"{name}: {scores}; {size:,} bytes; largest paint {paint}, shift {moved}; load {os.getloadavg()[0]:.1f}")
    for category in report["categories"].values():
        for each in category["auditRefs"]:
            audit = audits[each["id"]]
            if each["weight"] and audit["score"] is not None and audit["score"] < 1:
                click.echo(f"    {category['id']}: {audit['title']} {audit.get('displayValue', '')}".rstrip())
