"""Of the folders on the machine nobody sees anything through the site but its static files, one by one."""

from __future__ import annotations

import pytest

from tests.conftest import Site

ELSEWHERE = (
    "/.git/config", "/.git/HEAD", "/.env", "/requirements.txt", "/kb/config.py", "/kb/static/site.css",
    "/data/secret_key", "/secret_key", "/kb.sqlite", "/backup", "/files/secret_key", "/imports/", "/mail/",
    "/static/../config.py", "/static/%2e%2e/config.py", "/static/..%2fconfig.py", "/static/..%5cconfig.py",
    "/static//etc/passwd", "/static/%2fetc%2fpasswd", "/static/site.css%00", "/static/./../config.py",
    "/bootstrap/static/..%2f__init__.py", "/files/..%2f..%2fsecret_key", "/vocabularies/..%2f..%2fseed%2fthemes.ttl",
)  # fmt: skip


@pytest.mark.parametrize("address", ELSEWHERE)
def test_nothing_else_of_the_machine_is_served(reading_site: Site, address: str) -> None:
    answer = reading_site.client().get(address, follow_redirects=True)
    assert answer.status_code == 404
    assert answer.mimetype in ("text/html", "application/problem+json")
    answer.close()


@pytest.mark.parametrize("folder", ["/static/", "/static", "/bootstrap/static/", "/bootstrap/static/css/", "/files/"])
def test_no_folder_is_listed(reading_site: Site, folder: str) -> None:
    answer = reading_site.client().get(folder)
    assert answer.status_code == 404
    answer.close()


def test_static_files_are_served(reading_site: Site) -> None:
    answer = reading_site.client().get("/static/site.css")
    assert answer.status_code == 200
    answer.close()
