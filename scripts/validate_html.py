"""Have the Nu HTML Checker (vnu, what validator.w3.org/nu runs) read the pages in a folder; a line for each error.

`make check-all` leaves every page in build/html. npx fetches the checker, a program of Java, when it is first needed.
Where npx or Java is missing this says so and fails, unless it is told to do without.

    python scripts/validate_html.py build/html [--or-skip]
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

CHECKER = "vnu-jar@26.9.27"


SKIP = "--or-skip"


def main(folder: Path, may_skip: bool = False) -> int:
    """Check every page; returns 1 where one has an error, 2 where none could be checked, unless that may be."""
    missing = [name for name in ("npx", "java") if shutil.which(name) is None]
    if missing:
        print(f"HTML was not validated: {' and '.join(missing)} is missing here.")
        return 0 if may_skip else 2
    pages = sorted(folder.glob("*.html"))
    if not pages:
        print(f"There is no page in {folder}.")
        return 1
    command = ["npx", "--yes", CHECKER, "--format", "json", "--stdout", "--exit-zero-always", *map(str, pages)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)  # noqa: S603 (our own pages, no shell)
    said = done.stdout
    found: dict[str, set[str]] = defaultdict(set)
    for each in json.loads(said)["messages"]:
        if each["type"] != "info" or each.get("subType") == "warning":
            kind = each.get("subType") or each["type"]
            line = f"{kind}: {each['message']} {each.get('extract', '').strip()[:160]!r}"
            found[line].add(Path(each.get("url", "")).stem)
    for line, where in sorted(found.items()):
        print(f"{line}\n    on {len(where)}: {', '.join(sorted(where)[:4])}")
    errors = sum(line.startswith(("error", "fatal", "non-document-error")) for line in found)
    print(f"HTML validated: {len(pages)} pages, {errors} errors, {len(found) - errors} warnings")
    return int(errors > 0)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), SKIP in sys.argv[2:]))
