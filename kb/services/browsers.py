"""Which browser it is, in plain words, from what it calls itself."""

from __future__ import annotations

import re

BROWSERS = (
    # in this order: all but Firefox call themselves Safari too, and most call themselves Chrome
    ("Edg", "Edge"), ("OPR", "Opera"), ("Vivaldi", "Vivaldi"), ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"), ("FxiOS", "Firefox"), ("CriOS", "Chrome"), ("Chromium", "Chromium"),
    ("Chrome", "Chrome"), ("Safari", "Safari"), ("curl", "curl"),
)  # fmt: skip

SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"), ("Linux", "Linux"),
)  # fmt: skip

AGENT_LIMIT = 200


def kept(agent: str | None) -> str:
    """What is kept of a User-Agent: no control characters, no more than 200 others."""
    return "".join(letter for letter in agent or "" if letter.isprintable()).strip()[:AGENT_LIMIT]


def named(agent: str) -> tuple[str, str]:
    """The browser and the system, each empty where it is not known."""
    browser = next((name for word, name in BROWSERS if re.search(rf"{word}\w*/", agent)), "")
    return browser, next((name for word, name in SYSTEMS if word in agent), "")
