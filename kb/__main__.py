"""`python -m kb`."""

from __future__ import annotations

from kb import create_app
from kb.cli import main
from kb.cli.opening import PROGRAM

if __name__ == "__main__":
    main(prog_name=PROGRAM, obj=create_app)
