"""Who answers for the site, as KB_CONTROLLER says it in free words: the parts that machines are told."""

from __future__ import annotations

import re

from kb.config import Config

_EMAIL = re.compile(r"[^\s@<>,;:()]+@[^\s@<>,;:()]+\.[^\s@<>,;:().]+")


def name(config: Config) -> str:
    """The name that the controller begins with; the site's own where none is set."""
    return re.split(r"[,;\n(<]", config.controller, maxsplit=1)[0].strip() or config.site_name


def email(config: Config) -> str | None:
    """The e-mail address that the controller names, if it names one."""
    found = _EMAIL.search(config.controller)
    return found.group() if found else None
