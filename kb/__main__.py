"""`python -m kb`."""

from __future__ import annotations

from kb import create_app
from kb.cli import main

if __name__ == "__main__":
    main(prog_name="python -m kb", obj=create_app)
