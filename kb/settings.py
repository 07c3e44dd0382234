"""The table of the settings: each environment variable once, its default and its meaning. `config.py` reads them."""

from __future__ import annotations

from typing import NamedTuple

LANGUAGES = ("en", "it", "es", "ca", "de", "fr", "pl", "ro", "ga")
"""The languages a page can be asked for with `lang=`, in the order of the language menu."""


class Setting(NamedTuple):
    """One environment variable: its name, its default in words, and what it does."""

    name: str
    default: str
    meaning: str


SETTINGS = (
    Setting("PORT", "8000", "The port that `make run` and `python -m kb run` listen on, on KB_LISTEN."),
    Setting(
        "KB_LISTEN",
        "127.0.0.1",
        "The number of the address that `python -m kb run` listens on; another is for a proxy on another machine.",
    ),
    Setting(
        "KB_FAREWELL",
        "0",
        "Seconds for which a server that is told to stop takes requests, while /readyz says 503 to a load balancer.",
    ),
    Setting("KB_DATA_DIR", "./data", "The folder that holds everything: SQLite file, search index, key. Mode 0700."),
    Setting("KB_FILES_DIR", "files/ in the data folder", "Where uploaded files are kept."),
    Setting(
        "KB_FILE_SCANNER",
        "empty",
        "A virus scanner's command, which gets an uploaded file's path as its last argument: 0 is clean, 1 infected.",
    ),
    Setting("KB_DATABASE_URL", "SQLite in the data folder", "The database, as an SQLAlchemy address."),
    Setting("KB_DATABASE_POOL", "12", "Connections to PostgreSQL that a process holds at most."),
    Setting("KB_DATABASE_TIMEOUT", "30", "Seconds that a statement of a web process may take in PostgreSQL; 0: any."),
    Setting(
        "KB_SEARCH_URL",
        "whoosh:",
        "The search engine; `whoosh:` is the index in the data folder, `typesense://KEY@host1:8108,host2:8108/practices`"
        " a collection on a Typesense cluster (`typesenses://` by https).",
    ),
    Setting("KB_SECRET_KEY", "made on first run", "Signs cookies and forms, at least 32 characters. Kept, mode 0600."),
    Setting("KB_BASE_URL", "http://127.0.0.1:PORT", "The public address; https makes cookies Secure and sends HSTS."),
    Setting("KB_TRUSTED_HOSTS", "the host of KB_BASE_URL", "Host names that are answered, parted by commas."),
    Setting("KB_TRUSTED_PROXIES", "0", "How many proxies in front set X-Forwarded-For, -Proto and -Host."),
    Setting("KB_SITE_NAME", "Regional integration practices", "The name in the masthead and in citations."),
    Setting(
        "KB_CONTROLLER",
        "empty",
        "Who answers for the site: name and address, shown on /about, /privacy and /accessibility.",
    ),
    Setting(
        "KB_ENFORCEMENT",
        "empty",
        "Who enforces accessibility in the country: name and address, shown on /accessibility.",
    ),
    Setting("KB_STYLEGUIDE", "off", "`on` shows every component with its states at /styleguide; not for production."),
    Setting(
        "KB_LANGUAGES", ",".join(LANGUAGES), "Languages of the pages, parted by commas, the first is the fallback."
    ),
    Setting(
        "KB_MAIL_URL",
        "file: (mail/ in the data folder)",
        "Where mail goes: `file:` or `file:///folder` keeps"
        " .eml files, `smtp://user:password@host:587` and `smtps://…:465` send.",
    ),
    Setting("KB_MAIL_FROM", "noreply@ the host of KB_BASE_URL", "The sender's address of every mail."),
    Setting("KB_OPEN_REGISTRATION", "off", "`on` lets anybody ask for an account; an editor decides."),
    Setting("KB_SECOND_FACTOR", "optional", "`required` asks editors and administrators for a second factor."),
    Setting("KB_LIMITS", "on", "`off` lifts the limits on guesses, mails and requests, for measurements only."),
    Setting(
        "KB_HARVEST_LOCAL",
        "off",
        "Whether `harvest` may take from the local network: `on`, or the hosts it may ask there, parted by commas.",
    ),
    Setting("KB_WORKERS", "2", "Web processes of `python -m kb run`."),
    Setting("KB_LOG", "text at a terminal, else json", "How the log is written to standard error: `text` or `json`."),
    Setting("KB_SLOW_MS", "500", "Statements, searches and requests of so many milliseconds are logged; 0: none."),
    Setting(
        "KB_METRICS_TOKEN",
        "empty",
        "Who sends it (`Authorization: Bearer`) may read /metrics from anywhere; without, from this machine only, "
        "while `KB_BASE_URL` is this machine.",
    ),
)
