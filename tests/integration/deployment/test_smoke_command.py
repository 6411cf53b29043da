"""./dev smoke where nothing serves."""

import json

import pytest

from dev_cli import __main__ as dev


def test_a_stage_that_does_not_answer_fails_with_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert dev.main(["smoke", "--http-url", "http://127.0.0.1:9", "--json"]) == 1
    told = capsys.readouterr()
    report = json.loads(told.out)
    assert report["ok"] is False
    assert [step["ok"] for step in report["steps"]] == [False]
    assert "does not answer" in told.err
