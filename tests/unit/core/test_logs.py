import logging

import pytest

from gochat_core.logs import make_logger


def test_the_level_asked_for_last_holds(caplog: pytest.LogCaptureFixture) -> None:
    quiet = make_logger("test-logs", "CRITICAL")
    quiet.info("unheard")
    make_logger("test-logs", "INFO").info("heard")

    assert [record.getMessage() for record in caplog.records if record.name == "test-logs"] == ["heard"]
    assert logging.getLogger("test-logs").level == logging.INFO
