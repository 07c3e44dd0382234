"""Whatever comes from outside is read or refused in a sentence: every parser and every form, with random input.

`make test` asks little, the same each time. `KB_TEST_RUNS=1000 make test ARGS=tests/fuzz` asks that many new questions
of each kind; what it finds is printed so that it can be asked again. Each fault found has a test of its own beside the
code that it was in.

Parsers that are asked random questions elsewhere: the record as JSON (tests/unit/services/test_checking.py), the API
(tests/web/test_api_fuzz.py), the question language (tests/web/test_fuzz.py, tests/unit/search/test_parsing.py), what
is written and read back (tests/unit/formats/).
"""
