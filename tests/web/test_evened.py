"""Answers that must not tell by their time what was found leave at whole steps of time."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from flask import Flask

from kb.web import joining, private, resetting, signing_in


@pytest.mark.parametrize(("worked", "waits"), [(0.013, 0.037), (0.061, 0.039)])
def test_an_answer_waits_for_the_next_step(monkeypatch: pytest.MonkeyPatch, worked: float, waits: float) -> None:
    moments, slept = iter((8.0, 8.0 + worked)), []
    clock = SimpleNamespace(perf_counter=lambda: next(moments), sleep=slept.append)
    monkeypatch.setattr(private, "time", clock)
    with Flask("alone").test_request_context():
        answer = private.evened(lambda: ("said", 401))()
    assert (answer.status_code, answer.get_data(as_text=True)) == (401, "said")
    assert slept == [pytest.approx(waits, abs=1e-9)]


@pytest.mark.parametrize(
    "view", [signing_in.enter, joining.ask_to_register, resetting.ask_reset, resetting.ask_address]
)
def test_who_asks_for_an_address_gets_an_evened_answer(view: Callable[[], object]) -> None:
    assert hasattr(view, "__wrapped__")
