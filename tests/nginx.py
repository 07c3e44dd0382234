"""nginx with the configuration that is shipped in `deploy/nginx/`: names, ports and paths are replaced, no more."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import ssl
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

NAME = "practices.example.eu"
SHIPPED = Path(__file__).parents[1] / "deploy" / "nginx"
PATIENCE = 60.0

MAIN = """
{user}
worker_processes 2;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log notice;
events {{ worker_connections 2048; }}
http {{
    client_body_temp_path {folder}/temporary/body;
    proxy_temp_path {folder}/temporary/proxy;
    fastcgi_temp_path {folder}/temporary/fastcgi;
    uwsgi_temp_path {folder}/temporary/uwsgi;
    scgi_temp_path {folder}/temporary/scgi;
    include {folder}/upstream.conf;
    include {folder}/practices.conf;
}}
"""
"""What a distribution's nginx.conf does."""


def available() -> str | None:
    """Why nginx cannot be started here, as a sentence; None where it can."""
    if program() is None:
        return "nginx is not installed (on Debian: apt-get install nginx-light)."
    if shutil.which("openssl") is None:
        return "openssl is not installed, which makes nginx's certificate."
    return None


def program() -> str | None:
    """nginx's program; Debian keeps it where only root's path leads."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


class Nginx:
    """nginx before web servers at these ports of this machine; the files of it in `folder`, which is made."""

    def __init__(self, folder: Path, plain: int, port: int, upstream: Sequence[int], spare: Sequence[int]) -> None:
        """`plain` is where it leads to https, `port` where https is, `spare` two ports in place of those of IPv6."""
        self.port, self.plain = port, plain
        self.folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "temporary").mkdir(parents=True)
        self._certificate()
        several = len(upstream) > 1
        shipped = (SHIPPED / f"upstream-{'several-machines' if several else 'one-machine'}.conf").read_text()
        for number, each in enumerate(upstream, 1):
            shipped = _replaced(shipped, f"web{number}.internal:8000" if several else "127.0.0.1:8000", _at(each))
        (folder / "upstream.conf").write_text(shipped)
        site = (SHIPPED / "practices.conf").read_text()
        for theirs, ours in (
            ("listen 80;", f"listen {_at(plain)};"),
            ("listen [::]:80;", f"listen {_at(spare[0])};"),
            ("listen 443 ssl", f"listen {_at(port)} ssl"),
            ("listen [::]:443 ssl", f"listen {_at(spare[1])} ssl"),
            (f"/etc/letsencrypt/live/{NAME}", str(folder)),
            ("/var/lib/nginx/practices", str(folder / "kept")),
            ("/var/www/letsencrypt", str(folder)),
        ):
            site = _replaced(site, theirs, ours)
        (folder / "practices.conf").write_text(site)
        user = "user root;" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(MAIN.format(folder=folder, user=user))

    def _certificate(self) -> None:
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        command += ["-subj", f"/CN={NAME}", "-days", "2", "-keyout", "privkey.pem", "-out", "fullchain.pem"]
        subprocess.run(command, cwd=self.folder, check=True, capture_output=True)

    def tested(self) -> str:
        """What `nginx -t` says. Raises CalledProcessError where it refuses the configuration."""
        done = subprocess.run([*self._command(), "-t"], check=True, capture_output=True, text=True)
        return done.stderr

    def start(self) -> None:
        """Begin to serve; returns when it takes connections."""
        with (self.folder / "said.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        until = time.monotonic() + PATIENCE
        while not self._takes_connections():
            if self._process.poll() is not None or time.monotonic() > until:
                self.stop()
                raise RuntimeError(f"nginx did not start: {(self.folder / 'said.log').read_text()}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End it, with its processes; nothing where it does not run."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait(PATIENCE)
        self._process = None

    def said(self) -> str:
        """Its log of errors."""
        return (self.folder / "error.log").read_text()

    def connection(self, timeout: float = PATIENCE, address: str = "127.0.0.1") -> http.client.HTTPSConnection:
        """A connection to the site, from an address of this machine (127.0.0.1 to 127.255.255.254)."""
        return http.client.HTTPSConnection(
            "127.0.0.1", self.port, timeout=timeout, context=_TRUSTING, source_address=(address, 0)
        )

    def _command(self) -> list[str]:
        return [str(program()), "-p", str(self.folder), "-c", str(self.folder / "nginx.conf"), "-e", "stderr"]

    def _takes_connections(self) -> bool:
        connection = self.connection(timeout=5)
        try:
            connection.connect()
        except OSError:
            return False
        finally:
            connection.close()
        return True


def _at(port: int) -> str:
    return f"127.0.0.1:{port}"


def _replaced(text: str, old: str, new: str) -> str:
    if old not in text:
        raise ValueError(f"The shipped configuration does not hold {old!r} any more.")
    return text.replace(old, new)


_TRUSTING = ssl.create_default_context()
_TRUSTING.check_hostname = False
_TRUSTING.verify_mode = ssl.CERT_NONE
"""Takes the certificate that nobody signed."""
