"""The command `run`: makes what is missing, then serves."""

from __future__ import annotations

import dataclasses
import errno
import os
import resource
import socket
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click
from gunicorn.app.base import BaseApplication
from gunicorn.workers.base import Worker

from kb import config as settings
from kb import logs
from kb.cli import server_log
from kb.cli.connections import BACKLOG, Server
from kb.cli.opening import Site, ensure_index, follow_up, parts, say, shown
from kb.config import Config
from kb.services import counting, health, links, seeding
from kb.services.occupancy import using

GIVEN = 3
"""The first open file that systemd hands on to a service with a socket (sd_listen_fds(3))."""

OPEN_FILES = 4096
"""Files and connections that a process may have open, where the system lets it: many give 1,024 unless asked."""

FAREWELL = 10
"""Seconds that a process which is to end takes for the answers it has begun."""

MakeApp = Callable[[Config], Any]


@click.command()
@click.pass_obj
def run(make_app: MakeApp) -> None:
    """Make what is missing, print the first administrator's link while there is none, and serve.

    Listens on KB_LISTEN, at PORT, or at the socket that systemd hands on. Ctrl-C ends it.
    """
    config = settings.load()
    logs.set_up(config.log)
    with using(config.data_dir), _handed_on() or _listening(config) as listener:
        config = _with_port(config, listener)
        with parts(config) as site:
            _make_ready(site)
            _print_link(site)
        _serve(partial(make_app, config), config, listener)


def _make_ready(site: Site) -> None:
    with site.database.read() as session:
        fresh = seeding.is_empty(session)
    rebuilt = ensure_index(site)
    if not fresh:
        say(rebuilt)
        return
    with site.database.write() as session:
        done = seeding.seed(session, progress=shown("Seeding"))
    follow_up(site)
    say(f"The database was empty: {done.added} practices were loaded from the seed.")


def _print_link(site: Site) -> None:
    with site.database.write() as session:
        link = links.first_admin_link(session, site.config.base_url)
    if link:
        click.echo(f"No administrator has a password yet. This link makes one, once, within 24 hours: {link}")


def _handed_on() -> socket.socket | None:
    """The socket that systemd listens at for this service; None where it does not.

    It stays open while the service is started anew, so that nobody who asks meanwhile is turned away: they wait.
    """
    if not settings.socket_handed_on():
        return None
    return socket.socket(fileno=GIVEN)


def _listening(config: Config) -> socket.socket:
    """A socket that listens at the port before anything slow is begun; who asks early is answered when all is ready."""
    host, port = config.listen, config.port
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        reason = (error.strerror or str(error)).lower()
        if error.errno == errno.EADDRNOTAVAIL:
            raise click.ClickException(f"KB_LISTEN names {host}, which is no address of this machine.") from error
        raise click.ClickException(f"Port {port} cannot be used ({reason}): set PORT to another.") from error
    return listener


def _with_port(config: Config, listener: socket.socket) -> Config:
    """The settings with the port that the system gave, where any was asked for (`PORT=0`)."""
    port = listener.getsockname()[1]
    base_url = config.base_url
    if base_url.endswith(":0"):
        base_url = base_url.removesuffix("0") + str(port)
    return dataclasses.replace(config, port=port, base_url=base_url)


def _announce(config: Config) -> None:
    host = f"[{config.listen}]" if ":" in config.listen else config.listen
    click.echo(f"Serving on http://{host}:{config.port}")


class _Worker(Worker):
    """One process, which Gunicorn starts, watches and ends. What it answers with is in connections.py."""

    farewell = 0

    _server: Server | None = None

    def run(self) -> None:
        server = self._server = Server(self.wsgi, self.sockets[0].sock)
        while self.alive and self.ppid == os.getppid():
            self.notify()
            server.step()
        health.leave()
        until = time.monotonic() + self.farewell
        while time.monotonic() < until:
            self.notify()
            server.step(0.1)
        server.stop_accepting()
        until = time.monotonic() + FAREWELL
        while server.busy and time.monotonic() < until:
            self.notify()
            server.step(0.1)
        counting.write_all()  # what was counted in the last second

    def handle_exit(self, sig: int, frame: Any) -> None:
        super().handle_exit(sig, frame)
        if self._server is not None:
            self._server.pull_trigger()


class _Gunicorn(BaseApplication):
    """Several processes with threads; each process makes its own app after the fork."""

    def __init__(self, make_app: Callable[[], Any], options: dict[str, Any]) -> None:
        self._make_app = make_app
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return self._make_app()


def _serve(make_app: Callable[[], Any], config: Config, listener: socket.socket) -> None:
    _allow_open_files()
    _Worker.farewell = config.farewell
    memory = Path("/dev/shm")  # noqa: S108 (where a worker's sign of life costs no disk write)
    options = {
        "bind": f"fd://{listener.detach()}",
        "workers": config.workers,
        "worker_class": _Worker,
        "worker_tmp_dir": str(memory) if os.access(memory, os.W_OK) else None,
        "graceful_timeout": config.farewell + FAREWELL + 2,
        "loglevel": "warning",
        **server_log.OPTIONS,
        "control_socket_disable": True,
        "proc_name": "kb",
        "when_ready": lambda _arbiter: _announce(config),
    }
    _Gunicorn(make_app, options).run()


def _allow_open_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
