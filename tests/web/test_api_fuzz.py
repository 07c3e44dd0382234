"""The API is what its OpenAPI document says: schemathesis asks what it allows and what it forbids, with all its checks.

`make test` asks a few questions of each operation. `make fuzz-api` sets KB_TEST_RUNS to how many, and has every value,
limit and method tried in turn besides; that takes some minutes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from kb.services import accounts
from kb.services.record import KEYS
from tests import asking_the_api, factories, stack  # noqa: F401 (its hooks are known by being imported)
from tests.conftest import Site, configure
from tests.serving import answering

RUNS = int(os.environ.get("KB_TEST_RUNS", "0"))
"""Questions of each operation; 0: as few as tell anything, and no systematic ones."""

CONFIG = Path(__file__).parents[2] / "schemathesis.toml"

KNOWN = "catalonia-acol-line"


class World:
    """A site with its document, somebody's token, and a draft that is theirs."""

    def __init__(self, site: Site, base: str) -> None:
        self.site = site
        with site.database.write() as session:
            self.token = accounts.new_token(session, "alice@example.org")
            self.draft = str(factories.draft(session, accounts.get(session, "alice@example.org")).id)
        few = "" if RUNS else "[phases.coverage]\nenabled = false\n"
        settings = f"""
            base-url = "{base}"
            headers = {{ Authorization = "Bearer {self.token}" }}
            cache.enabled = false
            generation = {{ max-examples = {RUNS or 5}, deterministic = {str(not RUNS).lower()}, database = "none" }}
            phases.stateful.enabled = false
        """
        kept = CONFIG.read_text(encoding="utf-8").replace('hooks = "tests/asking_the_api.py"', "")  # imported already
        config = SchemathesisConfig.from_str(settings + kept + few)
        self.schema: Any = schemathesis.openapi.from_url(f"{base}/api/v1/openapi.json", config=config)
        self.schema.hook("map_path_parameters")(partial(self._point))  # a method takes no attributes

    def _point(self, context: Any, path_parameters: dict[str, Any]) -> dict[str, Any]:
        """Have every second question about a practice that there is."""
        if not path_parameters:
            return path_parameters
        own = context.operation.method.upper() == "PUT" or "/my/" in context.operation.path
        return {
            name: value if name == "number" or len(str(value)) % 2 else self.draft if own else KNOWN
            for name, value in path_parameters.items()
        }


@pytest.fixture(scope="module")
def world(town_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    site = Site(configure(stack.copy(town_folder, tmp_path_factory.mktemp("asked") / "data")))
    with answering(site.app) as url:
        yield World(site, url)
    site.close()


# Hypothesis warns of the length of what it would print of a strategy: the codes of all regions are among its values.
@pytest.mark.filterwarnings("ignore:Generating overly large repr")
def test_what_is_asked_is_answered_as_the_document_says(world: World) -> None:
    wrong, asked = [], 0
    for event in from_schema(world.schema).execute():
        if isinstance(event, events.ScenarioFinished):
            asked += len(event.recorder.cases)
            wrong += [
                f"{event.recorder.label}: {check.failure_info.failure.title}\n{check.failure_info.failure.message}\n"
                f"{check.failure_info.code_sample}"
                for checks in event.recorder.checks.values()
                for check in checks
                if check.failure_info is not None
            ]
        elif isinstance(event, events.NonFatalError | events.FatalError):
            wrong.append(str(getattr(event, "value", None) or getattr(event, "exception", None)))
    assert not wrong, "\n\n".join(dict.fromkeys(wrong))
    assert asked > 50


# What no random question finds


def operation(world: World, path: str, method: str) -> Any:
    return world.schema[path][method]


def test_the_document_has_every_address_and_method_of_the_api_and_no_others(world: World) -> None:
    rules = world.site.app.url_map.iter_rules()
    there = {
        (rule.rule.replace("<int:", "<").replace("<", "{").replace(">", "}"), method)
        for rule in rules
        if rule.rule.startswith("/api/v1/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    said = {(path, method.upper()) for path, methods in world.schema.raw_schema["paths"].items() for method in methods}
    assert said == there


def test_the_working_copy_and_its_update_have_the_shapes_that_are_declared(world: World) -> None:
    client, headers = world.site.client(), {"Authorization": f"Bearer {world.token}"}
    read = client.get(f"/api/v1/my/practices/{world.draft}", headers=headers)
    operation(world, "/api/v1/my/practices/{name}", "GET").validate_response(read)
    body = {**read.get_json()["record"], "contact": read.get_json()["contact"]}
    for mark, status in (("*", 200), ('"another"', 412), (None, 428)):
        sent = {**headers, **({"If-Match": mark} if mark else {})}
        answer = client.put(f"/api/v1/practices/{world.draft}?draft=1", json=body, headers=sent)
        assert answer.status_code == status
        operation(world, "/api/v1/practices/{slug}", "PUT").validate_response(answer)


def test_all_regions_themes_and_practices_of_the_seed_have_the_shapes_that_are_declared(world: World) -> None:
    client = world.site.client()
    for path in ("regions", "themes", "target-groups", "coverage", "facets"):
        operation(world, f"/api/v1/{path}", "GET").validate_response(client.get(f"/api/v1/{path}"))
    every = f"/api/v1/practices?per_page=100&fields={','.join(KEYS)}"
    for page in (1, 2):
        operation(world, "/api/v1/practices", "GET").validate_response(client.get(f"{every}&page={page}"))
    operation(world, "/api/v1/practices/{slug}", "GET").validate_response(client.get(f"/api/v1/practices/{KNOWN}"))
