"""Hooks of schemathesis: questions that it does not ask of the API, because no schema can say what is wrong in them."""

from __future__ import annotations

from typing import Any

import schemathesis


@schemathesis.hook
def filter_query(_context: Any, query: dict[str, Any] | None) -> bool:
    """Leave out a first year that lies after the last."""
    years = [str((query or {}).get(name, "")) for name in ("year_from", "year_to")]
    return not all(len(year) == 4 and year.isdecimal() for year in years) or years[0] <= years[1]


@schemathesis.hook
def filter_case(_context: Any, case: Any) -> bool:
    """The same for cases that are put together otherwise."""
    query = case.query if isinstance(case.query, dict) else {}
    return filter_query(_context, query)
