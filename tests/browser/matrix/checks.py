"""What is asked of a page in a browser, whatever it shows. Each check returns what is wrong, a line each."""

from __future__ import annotations

from typing import Any

from tests.browser.test_reading import TAGS, axe

NARROW = 320
"""CSS pixels: the narrowest screen, and a screen of 1280 at 400 % zoom (WCAG 2.2, 1.4.10)."""

RULES = {
    "runOnly": {"type": "tag", "values": TAGS},
    "rules": {"target-size": {"enabled": True}},  # WCAG 2.2, 2.5.8: 24 × 24 CSS pixels, or space, or inside a sentence
    "resultTypes": ["violations"],
}

STRUCTURE = """() => {
  const wrong = [], count = (name) => document.querySelectorAll(name).length;
  const one = {h1: "h1", main: "main", head: "body > header", foot: "body > footer", title: "head > title"};
  for (const [name, selector] of Object.entries(one))
    if (count(selector) !== 1) wrong.push(`${count(selector)} × ${name}`);
  if (!document.title.trim()) wrong.push("no title");
  const ids = [...document.querySelectorAll("[id]")].map((each) => each.id);
  for (const id of new Set(ids.filter((id, place) => ids.indexOf(id) !== place))) wrong.push(`id twice: ${id}`);
  return wrong;
}"""

SIDEWAYS = """() => {
  const root = document.scrollingElement, room = root.clientWidth;
  if (root.scrollWidth <= room) return [];
  const wide = [...document.body.querySelectorAll("*")].filter((each) => each.getBoundingClientRect().right > room + 1);
  return [`${root.scrollWidth} px wide: ` + wide.slice(0, 3).map((each) => each.outerHTML.slice(0, 90)).join(" | ")];
}"""

FOCUS = """() => {
  const seen = new Set(), wrong = [];
  const controls = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']";
  const marked = (each) => {
    const style = getComputedStyle(each);
    return (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
  };
  const line = (each) => {  // a country of the map is drawn anew
    const drawn = each.querySelector("path");
    return drawn && getComputedStyle(drawn).strokeWidth;
  };
  document.activeElement.blur();  // of a sheet that was opened with a pointer: its focus need not be seen
  for (const each of document.querySelectorAll(controls)) {
    const box = each.getBoundingClientRect(), before = line(each);
    const kind = [each.tagName, each.type, each.className, each.parentElement.tagName].join(" ");
    if (seen.has(kind) || !box.width || each.disabled || each.tabIndex < 0 || !each.checkVisibility()) continue;
    seen.add(kind);
    each.focus({focusVisible: true, preventScroll: true});
    if (document.activeElement === each && !marked(each) && !marked(each.parentElement) && line(each) === before)
      wrong.push(`focus is not seen: ${each.outerHTML.slice(0, 100)}`);
  }
  document.activeElement.blur();
  return wrong;
}"""


def of_document(tab: Any, language: str) -> list[str]:
    """Headings, landmarks, title, names: what does not depend on width or colours."""
    wrong: list[str] = tab.evaluate(STRUCTURE)
    found = tab.locator("html").get_attribute("lang")
    return wrong + ([f"lang={found}, not {language}"] if found != language else [])


def of_look(tab: Any) -> list[str]:
    """What axe finds, scrolling sideways, and a focus that is not seen, as the page stands."""
    found = axe.Axe().run(tab, options=RULES).response["violations"]
    lines = [f"{each['id']}: {node['target']} {node['html'][:120]}" for each in found for node in each["nodes"][:3]]
    return lines + sideways(tab) + list(tab.evaluate(FOCUS))


def sideways(tab: Any) -> list[str]:
    """Whether the page is wider than the screen."""
    return list(tab.evaluate(SIDEWAYS))
