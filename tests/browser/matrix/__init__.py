"""Every page of the site in every state that matters, and what is asked of each of them.

`pages.py` is the list, `world.py` the site it is read on, `covering.py` the choice for `make test`, `checks.py` what is
looked at. `make check-all` looks at everything and leaves each page in a folder,
which `scripts/validate_html.py` reads.
"""
