"""What an answer says that it is: nobody has to guess its type or the letters it is written in."""

from __future__ import annotations

import re

from tests.conftest import Site
from tests.test_routes import EVERYONE, ROWS

OPEN = [address for method, _rule, address, answers in ROWS if method == "GET" and answers == EVERYONE]
MADE_HERE = [address for address in OPEN if "{" not in address and address != "/snapshot.zip"]
OF_ITSELF = re.compile(r"application/(?:[a-z.-]+\+)?json(?:; charset=utf-8)?")
"""JSON is always UTF-8 and needs not say so (RFC 8259)."""


def test_every_answer_says_in_which_letters_it_is_written(reading_site: Site) -> None:
    reader, silent = reading_site.client(), []
    for address in (*MADE_HERE, "/practices.xlsx", "/nowhere", "/api/v1/nowhere", "/static/site.js"):
        answer = reader.get(address)
        said = answer.content_type
        answer.close()
        packed = said.startswith(("application/vnd.openxml", "image/"))
        if not (packed or OF_ITSELF.fullmatch(said) or "; charset=utf-8" in said):
            silent.append((address, said))
    assert silent == []
