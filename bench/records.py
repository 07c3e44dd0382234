"""Practices made of real texts: `python -m bench.records FILE` writes those of the test data as JSON lines.

20,801 projects of EU funds in eight languages, and 146 case studies in English with long texts. Titles and texts are
real and cut to the limits of the contract; what the sources do not say and a practice must (theme, target group, lead
organisation) is chosen by the number of the record and says nothing. The same data give the same file.
"""

from __future__ import annotations

import argparse
import gzip
import os
import re
import sys
import uuid
from collections.abc import Iterator
from functools import cache, cached_property
from json import loads
from pathlib import Path
from typing import Any

from slugify import slugify

from bench.generate import KINDS, Generator
from kb.formats import json
from kb.services.checking import CHARACTER_LIMITS, WORD_LIMITS
from kb.services.vocabularies import countries, country_name

PROJECTS = "multilingual/eu_fund_projects.jsonl.gz"
CASES = "case_studies/climate_adapt.jsonl"

NAMESPACE = uuid.UUID("b2c5c0c1-7d0e-5a34-9f0f-6a1d0b0a4a5e")

FILLED = ("summary", "actions", "context", "objectives", "results", "difficulties", "lessons", "transferability")
"""Where a text goes, in this order, as much into each as it may hold; what is left over then is left out."""

FUNDS = {"ESF": "ESF", "ESS": "ESF", "ERDF": "ERDF", "ESRR": "ERDF", "Europski socijani fond": "ESF",
         "Europski fond za regionalni razvoj": "ERDF"}  # fmt: skip
OFFICIAL = {"United Kingdom": "GB", "Republic of North Macedonia": "MK"}
"""Countries that the sources call otherwise than the base does."""

_DAY = re.compile(r"(?P<day>\d{1,2})[./](?P<month>\d{1,2})[./](?P<year>\d{4})")
_ISO = re.compile(r"(?P<year>\d{4})-(?P<month>\d{2})")
PUBLISHED = "2025-06-01T10:00:00Z"


class NoData(Exception):
    """The test data are not there; its text says what to do."""


def data_folder(given: Path | None = None) -> Path:
    """Return the folder of the test data: the one given, or what KB_TEST_DATA names. Raises NoData."""
    named = given or (Path(os.environ["KB_TEST_DATA"]) if os.environ.get("KB_TEST_DATA") else None)
    if named is None:
        raise NoData("Set KB_TEST_DATA to the folder of the test data: this is measured on real texts.")
    for needed in (PROJECTS, CASES):
        if not (named / needed).is_file():
            raise NoData(f"KB_TEST_DATA must name the folder of the test data; {named} has no {needed}.")
    return named


class Records:
    """Makes practices of the test data in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._seed = Generator(1)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield all of them, as an export would write them."""
        last = 0
        with gzip.open(self.folder / PROJECTS, "rt", encoding="utf-8") as file:
            for last, line in enumerate(file, 1):
                yield self._project(last, loads(line))
        with (self.folder / CASES).open(encoding="utf-8") as file:
            for number, line in enumerate(file, last + 1):
                yield self._case(number, loads(line))

    def _project(self, number: int, row: dict[str, Any]) -> dict[str, Any]:
        start, end = _month(row["start"]), _month(row["end"])
        in_order = not (start and end) or start <= end
        return {
            **self._record(number, row["title"], row["text"], row["lang"]),
            "country": row["country"],
            "region": {"code": row["nuts"], "name": None} if row["nuts"] in self._regions else None,
            "place": cut_line(row["region"], CHARACTER_LIMITS["place"]) or None,
            "start": start,
            "end": end if in_order else None,
            "funding": [{"source": FUNDS.get(row["fund"], "other-eu"), "amount_eur": None, "note": row["fund"]}],
            "sources": [{"title": "List of operations", "url": f"https://example.org/projects/{row['id']}"}],
        }

    def _case(self, number: int, row: dict[str, Any]) -> dict[str, Any]:
        codes = [_country_codes()[name] for name in row["countries"]] or ["DK"]  # the agency's own seat
        return {
            **self._record(number, row["title"], row["text"], "en"),
            "country": codes[0],
            "other_regions": [{"country": code, "code": None, "name": None} for code in codes[1:]],
            "sources": [{"title": "Climate-ADAPT, European Environment Agency", "url": row["url"]}],
        }

    def _record(self, number: int, title: str, text: str, language: str) -> dict[str, Any]:
        """Return what is the same for both sources."""
        title = " ".join(title.split())
        short = cut_line(title, CHARACTER_LIMITS["title"])
        themes, groups = self._seed.terms["themes"], self._seed.terms["target_groups"]
        return {
            "id": str(uuid.uuid5(NAMESPACE, str(number))),
            "slug": f"{slugify(title, max_length=60) or 'project'}-{number}",
            "title": short,
            "original_title": None if short == title else cut_line(title, CHARACTER_LIMITS["original_title"]),
            "language": language,
            **spread(text if text.strip() else title),
            "level": "national",
            "status": ("running", "ended", "mainstreamed")[number % 3],
            "lead_organisation": {"name": f"Body {number % 500}", "type": KINDS[number % len(KINDS)], "url": None},
            "themes": [themes[number % len(themes)]],
            "target_groups": [groups[number % len(groups)]],
            "licence": "CC-BY-4.0",
            "origin": {"kind": "import", "url": None},
            "version": 1,
            "published": PUBLISHED,
            "updated": PUBLISHED,
        }

    @cached_property
    def _regions(self) -> frozenset[str]:
        return frozenset(region["code"] for region in self._seed.regions)


def spread(text: str) -> dict[str, str | None]:
    """Spread a text over the fields of FILLED, words whole; a short one stands in summary and actions alike."""
    words = text.split(" ")
    texts: dict[str, str | None] = {}
    for key in FILLED:
        # A piece between two spaces may hold line ends, and so several words.
        count = taken = 0
        while taken < len(words) and count + len(words[taken].split()) <= WORD_LIMITS[key]:
            count += len(words[taken].split())
            taken += 1
        texts[key] = " ".join(words[:taken]).strip() or None
        words = words[taken:]
    return {**texts, "actions": texts["actions"] or texts["summary"]}


def cut_line(text: str, limit: int) -> str:
    """Return a line of at most `limit` characters, cut between words, or inside one that is longer."""
    line = " ".join(text.split())
    if len(line) <= limit:
        return line
    return line[: limit + 1].rpartition(" ")[0] or line[:limit]


def _month(text: str) -> str | None:
    """Return year and month of a date as the lists write it, the year where they say no more, or None."""
    if re.fullmatch(r"(?:19|20)\d{2}", text):
        return text
    match = _DAY.match(text) or _ISO.match(text)
    if match is None or not (1900 <= int(match["year"]) <= 2100 and 1 <= int(match["month"]) <= 12):
        return None
    return f"{match['year']}-{int(match['month']):02}"


@cache
def _country_codes() -> dict[str, str]:
    return {country_name(code): code for code in sorted(countries())} | OFFICIAL


def write(folder: Path, file: Path) -> int:
    """Write the practices as JSON lines; return how many."""
    count = 0

    def counted() -> Iterator[dict[str, Any]]:
        nonlocal count
        for record in Records(folder):
            count += 1
            yield record

    with file.open("w", encoding="utf-8") as opened:
        opened.writelines(json.lines(counted()))
    return count


def main() -> None:
    """Write the records."""
    parser = argparse.ArgumentParser(prog="python -m bench.records", description="Write practices of real texts.")
    parser.add_argument("file", type=Path, help="where to, as JSON lines")
    parser.add_argument("--data", type=Path, help="the folder of the test data (default: KB_TEST_DATA)")
    asked = parser.parse_args()
    try:
        print(f"Wrote {write(data_folder(asked.data), asked.file)} practices.")
    except NoData as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
