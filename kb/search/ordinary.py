"""Names of regions that are ordinary words in some language."""

from __future__ import annotations

ORDINARY = frozenset("border centre centro nord sud norte sur est vest ovest sor midlands".split())
"""Folded words."""
