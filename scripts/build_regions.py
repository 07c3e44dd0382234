"""Build seed/regions.csv and seed/region_successors.csv from Eurostat's NUTS lists and the seed's own list of regions.

    python scripts/build_regions.py [--nuts FOLDER] [--regions FILE] [--out FOLDER]

Three small tables beside this script hold what no list knows: `regions_english.csv` (established English names),
`regions_local.csv` (regions without a NUTS code) and `regions_mended.csv` (corrections, each with its reason).

Codes
    NUTS 2024 at all levels (edition 2024), the United Kingdom of NUTS 2021 (edition 2021), local codes `x-…` and the
    level-0 rows of their countries where the lists have none (edition local). Scotland, Wales and Northern Ireland are
    the local codes that the practices use: UKM, UKL and UKN become retired codes, and their children hang below the
    local ones. Argyll and Bute, parts of UKM63 and UKM81, hangs directly below Scotland. `country` is ISO 3166-1.

Names
    `name_en` comes from the English table, else from the seed's list, else, where English is the national language,
    from the NUTS name; empty means that nothing better than `name_latin` is established.

Typologies at level 3 (urban_type, mountain, coast, border; empty is unknown)
    The 2021 list is full and the first source; the 2024 list is read only where 2021 says nothing. Between them stands
    the code, or the single predecessor of a region that merely changed its code.
    - 2021's mountain type 4 is no statement in AL, ME, MK and RS: it fills the whole of these mountainous countries,
      while 2024 marks one of them (RS221) as mountainous. There it counts as unknown.
    - 2024's blank means "no" in some countries and "unknown" in others. It is read as "no" only in a country where,
      among the codes that both lists hold, some negative of 2021 is blank and no positive is (true of nearly all of
      the EU; false of NO, TR, IS, whose 2024 values are missing or untested, and of FR, where the overseas ones are).
    - 2024's coast 1 covers both "on the coast" and "near it" (2021's 1 and 2), so it cannot be read as a yes.
    - `intl_border` is filled in both lists but knows only the neighbours that its own list holds: 2021 lacks Kosovo,
      2024 the United Kingdom. A yes in either is a yes. Borders with countries in neither (Russia, Belarus, Ukraine,
      Moldova, Bosnia and Herzegovina, Turkey's eastern neighbours, …) are in `regions_mended.csv`.

Typologies at levels 2 and 1 (none at level 0) come from the level-3 regions below whose value is known, and are
unknown when fewer than half of them are.
    - urban_type: the commonest class; in a tie the more rural one.
    - mountain: yes from one half of the regions.
    - coast and border: yes from one third. A shore or a frontier runs along the rim of a region, so the interior
      outnumbers it: one half would deny Northern Ireland (4 of 11) its border and Emilia-Romagna (4 of 9) its coast.
"""

import argparse
import csv
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from math import hypot
from pathlib import Path

import yaml

Row = dict[str, str]
Table = dict[str, Row]

HERE = Path(__file__).resolve().parent
TYPOLOGIES = ("urban_type", "mountain", "coast", "border")
REGION_COLUMNS = (
    *("code", "edition", "level", "country", "parent", "name_en", "name_native", "name_latin", "lon", "lat"),
    *TYPOLOGIES,
)
SUCCESSOR_COLUMNS = ("code", "edition", "successor", "reason")

ISO_COUNTRY = {"EL": "GR", "UK": "GB"}
ENGLISH_SPEAKING = {"GB", "IE"}
UK_ALIASES = {"UKL": "x-gb-wales", "UKM": "x-gb-scotland", "UKN": "x-gb-northern-ireland"}

URBAN_CLASSES = {"1": "urban", "2": "intermediate", "3": "rural"}
MOUNTAIN_NOT_COMPUTED = {"AL", "ME", "MK", "RS"}
POSITIVE_2021 = {"mountain_type": {"1", "2", "3"}, "coast_type": {"1", "2"}}
THRESHOLDS = {"mountain": 1 / 2, "coast": 1 / 3, "border": 1 / 3}
SAME_CENTRE_DEGREES = 0.3

# What Eurostat changed between NUTS 2021 and NUTS 2024 beyond new codes for the same regions.
CHANGES: dict[str, tuple[tuple[str, ...], str]] = {
    "DEG0N": (("DEG0R",), "merged: Eisenach joined Wartburgkreis"),
    "DEG0P": (("DEG0R",), "merged: Eisenach joined Wartburgkreis"),
    "LV006": (("LV00A",), "merged: Rīga and most of Pierīga"),
    "LV007": (("LV00A", "LV00B", "LV00C"), "split: Tukums to Kurzeme, Limbaži to Vidzeme, the rest to Rīga"),
    "LV008": (("LV00C",), "enlarged by a part of Pierīga"),
    "NO074": (("NO072", "NO073"), "split: the counties of Troms and Finnmark stand again"),
    "NO082": (("NO083", "NO084", "NO085"), "split: Viken became Østfold, Akershus and Buskerud"),
    "NO091": (("NO093", "NO094"), "split: the counties of Vestfold and Telemark stand again"),
    "PT16": (("PT19", "PT1D"), "split: Oeste and Médio Tejo left Centro"),
    "PT17": (("PT1A", "PT1B"), "split: Grande Lisboa and Península de Setúbal"),
    "PT170": (("PT1A0", "PT1B0"), "split: Grande Lisboa and Península de Setúbal"),
    "PT18": (("PT1C", "PT1D"), "split: Lezíria do Tejo left Alentejo"),
}


def read_csv(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read_nuts(path: Path) -> Table:
    """Read one NUTS list by code, with its names tidied and the mountain types that are no statement blanked."""
    table = {row["code"]: row for row in read_csv(path)}
    for row in table.values():
        row["name"] = tidy(row["name"], row["country"])
        row["name_latn"] = tidy(row["name_latn"], row["country"])
        if row["country"] in MOUNTAIN_NOT_COMPUTED and row["mountain_type"] == "4":
            row["mountain_type"] = ""
    return table


def tidy(name: str, country: str) -> str:
    """Even out white space, give a slash that has a space on one side one on the other, mend Romanian cedillas."""
    name = re.sub(r"\s+", " ", name).strip()
    name = re.sub(r" ?/ | /", " / ", name)
    return name.translate(str.maketrans("şţŞŢ", "șțȘȚ")) if country == "RO" else name


def distance(a: Row, b: Row) -> float:
    """Return the distance of two centres in degrees, enough to tell near from far."""
    return hypot(float(a["lon"]) - float(b["lon"]), float(a["lat"]) - float(b["lat"]))


# --- successors ---


def build_successors(old: Table, new: Table) -> list[Row]:
    """Return one row per retired code and successor; raise ValueError for a retired code without one."""
    rows = [successor_row(code, local, "same territory, local code") for code, local in UK_ALIASES.items()]
    for code, row in old.items():
        if code in new or row["country"] == "UK":
            continue
        if code in CHANGES:
            successors, reason = CHANGES[code]
            rows.extend(successor_row(code, successor, reason) for successor in successors)
        else:
            rows.append(successor_row(code, renamed(row, old, new), "same region, new code"))
    return sorted(rows, key=lambda row: (row["code"], row["successor"]))


def successor_row(code: str, successor: str, reason: str) -> Row:
    return dict(zip(SUCCESSOR_COLUMNS, (code, "2021", successor, reason), strict=True))


def renamed(row: Row, old: Table, new: Table) -> str:
    """Return the new code of the same country and level with the same Latin name and nearly the same centre."""
    same = [
        code
        for code, other in new.items()
        if code not in old
        and all(other[column] == row[column] for column in ("country", "level", "name_latn"))
        and distance(other, row) <= SAME_CENTRE_DEGREES
    ]
    if len(same) != 1:
        raise ValueError(f"{row['code']} {row['name_latn']} has no single successor: {same}. Say so in CHANGES.")
    return same[0]


def one_to_one(successors: Iterable[Row]) -> dict[str, str]:
    """Map each new code that a single region merely changed to, to that region's old code."""
    pairs = [(row["code"], row["successor"]) for row in successors]
    olds, news = (Counter(side) for side in zip(*pairs, strict=True))
    return {new: old for old, new in pairs if olds[old] == news[new] == 1}


# --- typologies ---


def countries_where_blank_is_no(column: str, old: Table, new: Table) -> set[str]:
    """Return the countries where the codes that both lists hold prove that 2024's blank means no."""
    blank: defaultdict[str, set[bool]] = defaultdict(set)
    for code, row in new.items():
        value = old.get(code, {}).get(column)
        if row["level"] == "3" and value and not row[column]:
            blank[row["country"]].add(value in POSITIVE_2021[column])
    return {country for country, positives in blank.items() if positives == {False}}


def level_3_typologies(old: Table, new: Table, predecessors: dict[str, str]) -> dict[str, Row]:
    """Return the typologies of every level-3 code of the two lists."""
    mountain_no = countries_where_blank_is_no("mountain_type", old, new)
    coast_no = countries_where_blank_is_no("coast_type", old, new)
    result = {}
    for code in {**old, **new}:
        then, now = old.get(predecessors.get(code, code), {}), new.get(code, {})
        if (now or then)["level"] == "3":
            result[code] = {
                "urban_type": URBAN_CLASSES.get(then.get("urban_type") or now.get("urban_type", ""), ""),
                "mountain": mountain(then, now, mountain_no),
                "coast": coast(then, now, coast_no),
                "border": border(old.get(code, {}), now),
            }
    return result


def mountain(then: Row, now: Row, blank_is_no: set[str]) -> str:
    if then.get("mountain_type"):
        return "0" if then["mountain_type"] == "4" else "1"
    if now.get("mountain_type") == "1":
        return "1"
    return "0" if now.get("country") in blank_is_no else ""


def coast(then: Row, now: Row, blank_is_no: set[str]) -> str:
    if then.get("coast_type"):
        return "1" if then["coast_type"] == "1" else "0"
    return "0" if now.get("country") in blank_is_no and not now["coast_type"] else ""


def border(then: Row, now: Row) -> str:
    return max(then.get("intl_border", ""), now.get("intl_border", ""))


def carry_upwards(regions: Table) -> None:
    """Fill the empty typologies of levels 1 and 2 from the level-3 regions of the NUTS lists below them."""
    below: defaultdict[str, list[Row]] = defaultdict(list)
    for row in regions.values():
        if row["level"] == "3" and row["edition"] != "local":
            for code in ancestors(row, regions):
                below[code].append(row)
    for code, rows in below.items():
        region = regions[code]
        if region["level"] in {"1", "2"}:
            for column in TYPOLOGIES:
                region[column] = region[column] or summary(column, [row[column] for row in rows])


def ancestors(row: Row, regions: Table) -> Iterable[str]:
    while row["parent"]:
        yield row["parent"]
        row = regions[row["parent"]]


def summary(column: str, values: list[str]) -> str:
    """Return what the values of the sub-regions say of the whole; empty when fewer than half of them are known."""
    known = [value for value in values if value]
    if not known or len(known) * 2 < len(values):
        return ""
    if column == "urban_type":
        counts, order = Counter(known), list(URBAN_CLASSES.values())
        return max(counts, key=lambda value: (counts[value], order.index(value)))
    return "1" if known.count("1") / len(known) >= THRESHOLDS[column] else "0"


# --- regions ---


def nuts_region(row: Row, edition: str, typologies: dict[str, Row]) -> Row:
    country = ISO_COUNTRY.get(row["country"], row["country"])
    return {
        **{column: row[column] for column in ("code", "level", "lon", "lat")},
        **(typologies.get(row["code"]) or dict.fromkeys(TYPOLOGIES, "")),
        "edition": edition,
        "country": country,
        "parent": UK_ALIASES.get(row["parent"], row["parent"]),
        "name_en": row["name_latn"] if country in ENGLISH_SPEAKING else "",
        "name_native": row["name"],
        "name_latin": row["name_latn"],
    }


def local_regions(seed_names: dict[str, str]) -> list[Row]:
    """Return the rows of the hand-written table; raise ValueError for a local code of the seed that it lacks."""
    rows = read_csv(HERE / "regions_local.csv")
    missing = {code for code in seed_names if code.startswith("x-")} - {row["code"] for row in rows}
    if missing:
        raise ValueError(f"regions_local.csv lacks {sorted(missing)}")
    return [{**row, "edition": "local", "name_en": ""} for row in rows]


def build_regions(old: Table, new: Table, predecessors: dict[str, str], seed_names: dict[str, str]) -> Table:
    """Return all regions by code, with names, centres and typologies."""
    typologies = level_3_typologies(old, new, predecessors)
    uk = [row for row in old.values() if row["country"] == "UK" and row["code"] not in UK_ALIASES]
    rows = [
        *(nuts_region(row, "2024", typologies) for row in new.values()),
        *(nuts_region(row, "2021", typologies) for row in uk),
        *local_regions(seed_names),
    ]
    regions = {row["code"]: row for row in rows}
    if len(regions) != len(rows):
        raise ValueError("a code stands twice")
    for mend in read_csv(HERE / "regions_mended.csv"):
        regions[mend["code"]][mend["column"]] = mend["value"]
    carry_upwards(regions)
    english = {row["code"]: row["name_en"] for row in read_csv(HERE / "regions_english.csv")}
    for code, name in {**seed_names, **english}.items():
        regions[code]["name_en"] = name
    for row in regions.values():
        row["lon"], row["lat"] = tenth(row["lon"]), tenth(row["lat"])
    return regions


def tenth(degrees: str) -> str:
    return f"{round(float(degrees), 1) + 0.0:.1f}"  # adding zero turns -0.0 into 0.0


def read_seed_names(path: Path) -> dict[str, str]:
    """Return the English names of the seed's own list of regions, by code."""
    return {entry["code"]: entry["name_en"] for entry in yaml.safe_load(path.read_text(encoding="utf-8"))}


def write_csv(path: Path, columns: tuple[str, ...], rows: Iterable[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def build(nuts: Path, seed_regions: Path, out: Path, report: Callable[[str], None] = print) -> None:
    """Write both files into the folder `out`."""
    old, new = read_nuts(nuts / "nuts_2021.csv"), read_nuts(nuts / "nuts_2024.csv")
    successors = build_successors(old, new)
    regions = build_regions(old, new, one_to_one(successors), read_seed_names(seed_regions))
    unknown = {row["successor"] for row in successors} - regions.keys()
    if unknown:
        raise ValueError(f"successors that are no regions: {sorted(unknown)}")
    write_csv(out / "regions.csv", REGION_COLUMNS, (regions[code] for code in sorted(regions)))
    write_csv(out / "region_successors.csv", SUCCESSOR_COLUMNS, successors)
    report(f"{len(regions)} regions, {len(successors)} successors")


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the region list of the seed.")
    parser.add_argument("--nuts", type=Path, default=Path("../shared/data/nuts"), help="folder of the NUTS lists")
    parser.add_argument("--regions", type=Path, default=Path("../shared/seed/regions.yaml"), help="the seed's list")
    parser.add_argument("--out", type=Path, default=HERE.parent / "seed", help="folder to write to")
    arguments = parser.parse_args()
    build(arguments.nuts, arguments.regions, arguments.out)


if __name__ == "__main__":
    main()
