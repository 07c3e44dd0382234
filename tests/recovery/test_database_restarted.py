"""PostgreSQL that goes away while a page is made."""

from __future__ import annotations

import pytest
from flask import Flask, g
from sqlalchemy import text

from kb.db import Database
from kb.web import context
from tests import postgres

pytestmark = pytest.mark.skipif(postgres.available() is not None, reason=str(postgres.available()))


def test_a_page_that_has_read_all_it_needs_is_sent_though_the_database_ended_the_connection() -> None:
    with postgres.cluster() as server:
        database = Database(server.create("site"))
        with Flask("site").app_context():
            g.session = database.reading_session()
            assert g.session.scalar(text("SELECT 1")) == 1
            server.restart()
            context.release()
        with database.read() as session:
            assert session.scalar(text("SELECT 2")) == 2
        assert database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
        database.close()
