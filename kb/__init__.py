"""Regional integration practices: a knowledge base of what regions have tried, and what came of it."""

from __future__ import annotations

from flask import Flask

from kb.config import Config, load
from kb.web import app as web


def create_app(config: Config | None = None) -> Flask:
    """Make the application.

    `config` is for tests; otherwise the environment is read. Raises SettingError for a setting that cannot be used.
    """
    return web.make(config or load())
