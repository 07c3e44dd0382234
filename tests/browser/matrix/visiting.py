"""Getting to a state of a page in a tab: signed in as its reader, in a language, in a scheme of colours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kb.config import LANGUAGES
from kb.services import accounts, sessions
from kb.web.accounts import TOKEN
from tests import factories
from tests.browser.matrix import world
from tests.browser.matrix.pages import State
from tests.conftest import Site, configure
from tests.serving import answering

PUT = """(field, value) => {
  if (value === true) field.checked = true;
  else if (field instanceof HTMLFormElement) field.action = value;
  else field.value = value;
}"""
"""Types into a field, ticks it, or has a form lead elsewhere, as one does that was left open while things changed."""

FORGET = """() => {
  for (const kind of ["pagehide", "visibilitychange"])
    addEventListener(kind, (event) => event.stopImmediatePropagation(), {capture: true});
  localStorage.clear();
  sessionStorage.clear();
}"""

NINE = ",".join(LANGUAGES)


@dataclass(frozen=True)
class Served:
    """A site, its address, and the names that addresses of pages hold."""

    site: Site
    url: str
    named: world.Names

    def cookie(self, name: str) -> dict[str, str]:
        """The cookie of a browser in which someone of the world is signed in."""
        with self.site.database.write() as session:
            token = sessions.open_session(session, accounts.get(session, f"{name}@example.org"))
        signer = self.site.app.session_interface.get_signing_serializer(self.site.app)  # type: ignore[attr-defined]
        return {"name": "kb", "value": signer.dumps({TOKEN: token}), "url": self.url}

    def visit(self, tab: Any, state: State, language: str) -> Any:
        """Bring a tab to a state; returns the answer that it shows."""
        cookies = [{"name": "lang", "value": language, "url": self.url}]
        tab.context.add_cookies(cookies + ([self.cookie(state.who)] if state.who else []))
        named = {**self.named, "PASSWORD": factories.PASSWORD}
        if state.fresh:
            named |= world.FRESH[state.fresh](self.site)
        answer = tab.goto(self.url + state.address.format(**named))
        if state.press:
            answer = self._send(tab, state, named)
        assert answer.status == state.status, f"{answer.status} {answer.url}"
        if state.click:
            tab.locator(state.click).first.click()
        return answer

    def _send(self, tab: Any, state: State, named: world.Names) -> Any:
        """Fill the form in and send it, by whatever button has been named, shown or not."""
        for field, value in state.fill.items():
            typed = value.format(**named) if isinstance(value, str) and value.startswith("/") else value
            tab.locator(field).first.evaluate(PUT, named.get(str(typed), typed))
        button = tab.locator(str(state.press).format(**named)).first
        with tab.expect_navigation() as answered:
            button.evaluate("(button) => { button.form.noValidate = true; button.form.requestSubmit(button); }")
        return answered.value


@contextmanager
def opened(folder: Path, *, rich: bool) -> Iterator[Served]:
    """Serve the data folder, in all languages; `rich` fills it first."""
    site = Site(configure(folder, KB_LANGUAGES=NINE, KB_OPEN_REGISTRATION="on" if rich else "off"))
    try:
        named = world.rich(site) if rich else {}
        with answering(site.app) as url:
            yield Served(site, url, named)
    finally:
        site.close()


def forget(tab: Any) -> None:
    """Have a page forget what it keeps in the browser, and send nothing when the next one comes."""
    if tab.url.startswith("http"):
        tab.evaluate(FORGET)


def dress(tab: Any, width: int, scheme: str) -> None:
    """Give a tab a width and colours: light, dark or forced."""
    tab.set_viewport_size({"width": width, "height": 900})
    forced = "active" if scheme == "forced" else "none"
    dark = "dark" if scheme == "dark" else "light"
    tab.emulate_media(color_scheme=dark, forced_colors=forced, reduced_motion="reduce")  # no colour on its way
    tab.evaluate("new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted)))")
