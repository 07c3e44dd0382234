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

COLOURS = {
    "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
    "resultTypes": ["violations"],
}
"""What axe has to say anew when nothing but the colours of a page changed."""

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
  const parts = (colour) => {
    const [red, green, blue, alpha = 1] = (colour.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
    return {light: [red, green, blue].map((each) => each / 255)
      .map((each) => (each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4))
      .reduce((sum, each, place) => sum + each * [0.2126, 0.7152, 0.0722][place], 0), alpha};
  };
  const ground = (each) => {  // what is behind: the nearest colour that nothing shines through
    for (let behind = each; behind; behind = behind.parentElement) {
      const colour = parts(getComputedStyle(behind).backgroundColor);
      if (colour.alpha > 0.5) return colour;
    }
    return parts(matchMedia("(prefers-color-scheme: dark)").matches ? "rgb(0, 0, 0)" : "rgb(255, 255, 255)");
  };
  const apart = (one, other) =>
    (Math.max(one.light, other.light) + 0.05) / (Math.min(one.light, other.light) + 0.05) >= 3;
  const stands_out = (colour, each) =>
    parts(colour).alpha > 0.5 && [each, each.parentElement ?? each].some((on) => apart(parts(colour), ground(on)));
  const ring = (each) => {  // the lines around it that can be told from what they lie on
    const style = getComputedStyle(each), lines = [];
    if (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0 && stands_out(style.outlineColor, each))
      lines.push([style.outlineStyle, style.outlineWidth, style.outlineColor].join(" "));
    const shadow = style.boxShadow.match(/rgba?\\([^)]*\\)/);
    if (shadow && stands_out(shadow[0], each)) lines.push(style.boxShadow);
    return lines;
  };
  const drawing = (each) => {  // a country of the map is drawn anew
    const drawn = each.querySelector("path");
    if (!drawn) return "";
    const style = getComputedStyle(drawn);
    return [style.strokeWidth, style.stroke, style.fill].join(" ");
  };
  const look = (each) => ({rings: [each, each.parentElement].map(ring), drawing: drawing(each)});
  const gained = (before, after) => after.drawing !== before.drawing
    || after.rings.some((lines, place) => lines.some((line) => !before.rings[place].includes(line)));
  document.activeElement.blur();  // of a sheet that was opened with a pointer: its focus need not be seen
  for (const each of document.querySelectorAll(controls)) {
    const box = each.getBoundingClientRect(), before = look(each);
    const kind = [each.tagName, each.type, each.className, each.parentElement.tagName].join(" ");
    if (seen.has(kind) || !box.width || each.disabled || each.tabIndex < 0 || !each.checkVisibility()) continue;
    seen.add(kind);
    each.focus({focusVisible: true, preventScroll: true});
    if (document.activeElement === each && !gained(before, look(each)))
      wrong.push(`focus is not seen: ${each.outerHTML.slice(0, 100)}`);
  }
  document.activeElement.blur();
  return wrong;
}"""
"""A control in focus has a line around it that it had not before, 3:1 apart from what it lies on (WCAG 2.2, 1.4.11)."""


STAND = """() => {
  for (const each of document.querySelectorAll("main *"))
    if (getComputedStyle(each).position === "sticky") each.style.position = "static";
}"""
"""What stays in sight covers whatever lies below it at the moment, which is not a target of no size: one scrolls on."""


def of_document(tab: Any, language: str) -> list[str]:
    """Headings, landmarks, title, names: what does not depend on width or colours."""
    wrong: list[str] = tab.evaluate(STRUCTURE)
    found = tab.locator("html").get_attribute("lang")
    return wrong + ([f"lang={found}, not {language}"] if found != language else [])


def of_look(tab: Any, *, recoloured: bool = False) -> list[str]:
    """What axe finds, scrolling sideways, and a focus that is not seen, as the page stands.

    `recoloured`: it was looked at already, in the same width and in other colours.
    """
    return violations(tab, COLOURS if recoloured else RULES) + sideways(tab) + list(tab.evaluate(FOCUS))


def violations(tab: Any, options: dict[str, Any]) -> list[str]:
    """What axe finds with these options."""
    tab.evaluate(STAND)
    found = axe.Axe().run(tab, options=options).response["violations"]
    return [f"{each['id']}: {node['target']} {node['html'][:120]}" for each in found for node in each["nodes"][:3]]


def sideways(tab: Any) -> list[str]:
    """Whether the page is wider than the screen."""
    return list(tab.evaluate(SIDEWAYS))
