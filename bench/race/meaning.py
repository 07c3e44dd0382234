"""What a question means in terms of tokens, as a tree of Whoosh's query objects that the other engines are asked."""

from __future__ import annotations

from whoosh.query import And, Every, NullQuery, Or, Phrase, Prefix, Query, Term

from bench.race.material import Material
from kb.search.question import Question
from kb.search.whoosh.trees import trees


class Meaning:
    """Reads questions of words over the tokens of some material.

    `kb.search.whoosh.trees` says what a question means. What stands nowhere is left out here, so that no other engine
    has to look for it: ours does.
    """

    def __init__(self, material: Material) -> None:
        self._known = {"words": material.words, "stems": material.stems}
        self._languages = sorted(material.languages)

    def tree(self, question: Question) -> Query:
        """Return what documents must hold: `Term`, `Phrase`, `Prefix`, `And`, `Or`, `Every` and `NullQuery`.

        Raises ValueError for what only our engine understands.
        """
        return self._pruned(trees(question, self._languages, self._known["words"].__contains__).full)

    def _pruned(self, node: Query) -> Query:
        match node:
            case And():
                parts = [part for part in map(self._pruned, node.subqueries) if not isinstance(part, Every)]
                return _joined(And, parts, Every()) if NullQuery not in parts else NullQuery
            case Or():
                parts = [part for part in map(self._pruned, node.subqueries) if part != NullQuery]
                return _joined(Or, parts, NullQuery)
            case Phrase():
                return node if all(word in self._known[node.fieldname] for word in node.words) else NullQuery
            case Prefix():
                return Prefix(node.fieldname, node.text)
            case Term():
                return node if node.text in self._known[node.fieldname] else NullQuery
            case Every():
                return node
        raise ValueError(f"only words are compared, not {node!r}")


def _joined(kind: type[Query], parts: list[Query], nothing: Query) -> Query:
    """Return one query of several: those of the same kind within are taken out, and each is there once."""
    flat = [each for part in parts for each in (part.subqueries if type(part) is kind else [part])]
    once = list(dict.fromkeys(flat))
    return kind(once) if len(once) > 1 else once[0] if once else nothing
