"""How well the engine of the site ranks, beside its peers, on a test collection: `python -m bench relevance DIR`.

The texts go through the engine and the query parser of the site: nothing is switched on or off for the collection.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

import click

from bench import collection
from bench.collection import Collection, Text
from bench.measures import DEEP, Figures, figures
from bench.peers import PEERS, Rankings
from kb.search import open_engine
from kb.search.parsing import parse
from kb.search.port import Document, Query

OURS = "this site"
OTHER = "Typesense"
"""The site on its other engine, where one is named."""


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--language", default="en", show_default=True, help="What the texts are written in (BCP 47).")
@click.option(
    "--beside", metavar="URL", help="A KB_SEARCH_URL of a Typesense server, to measure the site on it as well."
)
def relevance(folder: Path, language: str, beside: str | None) -> None:
    """Rank the collection in DIR (corpus.jsonl, queries.jsonl, qrels.tsv) with the site's engine and with its peers.

    Prints a table, then the same figures as one line of JSON.
    """
    try:
        asked = collection.read(folder)
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    measured = measure(asked, language, beside)
    click.echo(table(measured))
    click.echo(json.dumps(summary(asked, measured)))


def measure(asked: Collection, language: str = "en", beside: str | None = None) -> dict[str, Figures]:
    """Return the figures of each engine, ours first. Documents are in `language`; the peers know only English.

    `beside` is the address of a collection that is made on a Typesense server, and stays there.
    """
    rankings = {OURS: rank(asked.documents, asked.questions, language)}
    if beside:
        rankings[OTHER] = rank(asked.documents, asked.questions, language, beside)
    whole = {key: document.whole for key, document in asked.documents.items()}
    rankings |= {name: peer(whole, asked.questions) for name, peer in PEERS.items()}
    return {name: figures(ranked, asked.grades) for name, ranked in rankings.items()}


def rank(documents: Mapping[str, Text], questions: Mapping[str, str], language: str, url: str = "whoosh:") -> Rankings:
    """Rank with an engine of the site; the embedded one has an index of its own that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(url, Path(folder))
        engine.rebuild(_document(key, text, language) for key, text in documents.items())
        rankings = {key: [hit.id for hit in engine.search(_query(text)).hits] for key, text in questions.items()}
        engine.close()
    return rankings


def _document(key: str, text: Text, language: str) -> Document:
    return Document(key, key, text.title, language, {"story": text.text})


def _query(question: str) -> Query:
    return Query(parse(question), limit=DEEP, partial_limit=DEEP, facets=False)


def table(measured: Mapping[str, Figures]) -> str:
    """Return the figures as a table for a terminal: shares of 1, the last in per cent."""
    lines = [f"{'':12}{'nDCG@10':>9}{'recall@100':>12}{'no result':>11}"]
    lines += [
        f"{name:12}{own.ndcg_at_10:9.4f}{own.recall_at_100:12.4f}{own.zero_results:11.1%}"
        for name, own in measured.items()
    ]
    ndcg, recall = ratios(measured).values()
    return "\n".join([*lines, f"{'to the best':12}{_times(ndcg):>9}{_times(recall):>12}"])


def ratios(measured: Mapping[str, Figures]) -> dict[str, float | None]:
    """Return our nDCG@10 and recall@100 as multiples of the best peer's in each; None where no peer found a thing."""
    ours, peers = measured[OURS], [own for name, own in measured.items() if name not in (OURS, OTHER)]
    best = Figures(*(max(column) for column in zip(*peers, strict=True)))
    return {key: getattr(ours, key) / getattr(best, key) if getattr(best, key) else None
            for key in ("ndcg_at_10", "recall_at_100")}  # fmt: skip


def summary(asked: Collection, measured: Mapping[str, Figures]) -> dict[str, object]:
    """Return everything that was measured, for JSON."""
    return {
        "collection": asked.name,
        "documents": len(asked.documents),
        "questions": len(asked.questions),
        "engines": {name: own._asdict() for name, own in measured.items()},
        "ratio_to_best_peer": ratios(measured),
    }


def _times(ratio: float | None) -> str:
    return "" if ratio is None else f"× {ratio:.3f}"
