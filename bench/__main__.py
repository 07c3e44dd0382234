"""What README's figures come from: `python -m bench --help`."""

from __future__ import annotations

import click

from bench.autosave import autosave
from bench.exports import exports
from bench.failover import failover
from bench.fuzz import fuzz
from bench.lighthouse import lighthouse
from bench.live import live
from bench.load import load
from bench.move import move
from bench.relevance import relevance
from bench.site import site
from bench.slowly import slowly
from bench.speed import speed
from bench.timing import timing
from bench.writing import writing


@click.group()
def main() -> None:
    """Measure the software."""


main.add_command(autosave)
main.add_command(exports)
main.add_command(failover)
main.add_command(fuzz)
main.add_command(lighthouse)
main.add_command(live)
main.add_command(load)
main.add_command(move)
main.add_command(relevance)
main.add_command(site)
main.add_command(slowly)
main.add_command(speed)
main.add_command(timing)
main.add_command(writing)

if __name__ == "__main__":
    main(prog_name="python -m bench")
