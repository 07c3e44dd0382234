"""What README's figures come from: `python -m bench --help`."""

from __future__ import annotations

import click

from bench.fuzz import fuzz
from bench.relevance import relevance


@click.group()
def main() -> None:
    """Measure the software."""


main.add_command(fuzz)
main.add_command(relevance)

if __name__ == "__main__":
    main(prog_name="python -m bench")
