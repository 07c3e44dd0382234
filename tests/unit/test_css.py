"""The styles keep to the design: a budget of lines, colours in one file, a dark for each light, few exceptions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "kb" / "static"
SHEETS = sorted(STATIC.glob("*.css"))
TOKENS = (STATIC / "tokens.css").read_text(encoding="utf-8")

MOST_LINES = 700
"""All of them together, without a build step: who opens them can read them."""

COLOUR = re.compile(r"#[0-9a-f]{3,8}\b|\b(?:rgb|hsl|oklch|lab)a?\(|%23[0-9a-f]{3,6}", re.IGNORECASE)

ON_PAPER = ("#000", "#fff")
"""Ink and paper are black and white, whatever the scheme."""


def rules(text: str) -> str:
    """The text without its comments."""
    return re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)


def declared(selector: str) -> dict[str, str]:
    """What the first rule with this selector sets, by name."""
    body = rules(TOKENS).split(selector + " {", 1)[1].split("}", 1)[0]
    return dict(re.findall(r"(--?[\w-]+|color-scheme):\s*([^;]+);", body))


def test_the_styles_stay_small() -> None:
    assert sum(len(path.read_text(encoding="utf-8").splitlines()) for path in SHEETS) <= MOST_LINES


@pytest.mark.parametrize("path", [path for path in SHEETS if path.name != "tokens.css"], ids=lambda path: path.name)
def test_only_the_tokens_name_a_colour(path: Path) -> None:
    screen = rules(path.read_text(encoding="utf-8"))
    assert not [each for each in COLOUR.findall(screen) if each not in ON_PAPER]


def test_black_and_white_are_for_paper_alone() -> None:
    text = rules((STATIC / "site.css").read_text(encoding="utf-8"))
    paper = "".join(re.findall(r"@media print \{.*?\n\}", text, flags=re.DOTALL))
    assert len(COLOUR.findall(text)) == len(COLOUR.findall(paper))


def test_every_role_of_the_dark_scheme_has_a_light_one() -> None:
    assert set(declared("prefers-color-scheme: dark) {\n  :root")) <= set(declared("\n:root"))


def test_a_colour_of_the_light_scheme_has_a_dark_one() -> None:
    light = {name for name, value in declared("\n:root").items() if COLOUR.search(value) and name.startswith("--kb-")}
    both = {"--kb-arrow"}
    assert light - both <= set(declared("prefers-color-scheme: dark) {\n  :root"))


@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.name)
def test_every_token_that_is_used_is_there(path: Path) -> None:
    used = set(re.findall(r"var\((--kb-[\w-]+)", path.read_text(encoding="utf-8")))
    assert used <= set(re.findall(r"(--kb-[\w-]+):", TOKENS))


@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.name)
def test_an_important_rule_says_why(path: Path) -> None:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        assert "!important" not in line or "/*" in line, f"{path.name}:{number}"


@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.name)
def test_the_styles_write_no_words(path: Path) -> None:
    contents = re.findall(r'content:\s*"([^"]*)"', rules(path.read_text(encoding="utf-8")))
    assert not [each for each in contents if re.search(r"[A-Za-z]{2}", re.sub(r"\\[0-9a-f]{4}", "", each))]


def test_nobody_asks_for_motion_who_does_not_want_it() -> None:
    for path in SHEETS:
        text = rules(path.read_text(encoding="utf-8"))
        calm = re.sub(r"@media \(prefers-reduced-motion: no-preference\) \{.*\}", "", text)
        assert not re.search(r"\b(transition|animation|scroll-behavior):", calm), path.name


def test_no_template_sets_a_style_or_a_handler() -> None:
    for path in (ROOT / "kb" / "templates").rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"<[^>]*\s(style|on[a-z]+)=\"|<style|<script>", text), path
