"""Runs the event source mappings of a local AWS: `python -m local_stage.mappings --endpoint-url URL`."""

import argparse
import logging
import os
import signal
import sys
import threading
from pathlib import Path

from local_stage.mappings.aws import LocalAws
from local_stage.mappings.poller import PollerSettings
from local_stage.mappings.status import StatusFile
from local_stage.mappings.supervisor import Supervisor


def main() -> int:
    """Work the mappings until SIGTERM or SIGINT."""
    options = _parser().parse_args()
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(levelname)s %(message)s")
    threading.excepthook = _die
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    supervisor = Supervisor(
        LocalAws(options.endpoint_url, region=options.region),
        PollerSettings(
            concurrency=options.concurrency, max_wait_s=options.max_wait_s, fetch_wait_ms=options.fetch_wait_ms
        ),
        from_lowest=options.partial_retry == "from-lowest",
        status_file=StatusFile(options.status_file),
    )
    supervisor.run(stopping, grace_s=options.grace_s)
    sys.stdout.flush()
    # An abandoned invocation still holds a thread and a consumer: their orderly end would wait for its answer.
    os._exit(0)


def _die(failure: threading.ExceptHookArgs) -> None:
    """End the process at a bug in one of its threads: half a poller that looks alive would be found late."""
    where = failure.thread.name if failure.thread else "a thread"
    logging.getLogger("local_stage.mappings").critical(
        "%s failed", where, exc_info=(failure.exc_type, failure.exc_value or failure.exc_type(), failure.exc_traceback)
    )
    sys.stdout.flush()
    os._exit(1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local_stage.mappings", description=__doc__)
    parser.add_argument("--endpoint-url", required=True, help="where the local AWS listens")
    parser.add_argument("--region", default=os.environ.get("AWS_DEFAULT_REGION", "us-east-1"))
    parser.add_argument("--status-file", type=Path, help="JSON: what each mapping did, its lag, its last error")
    parser.add_argument(
        "--partial-retry",
        choices=("failed-only", "from-lowest"),
        default="failed-only",
        help="which records come again after a partial failure",
    )
    parser.add_argument("--concurrency", type=int, default=PollerSettings.concurrency, help="invocations a mapping")
    parser.add_argument("--max-wait-s", type=float, default=PollerSettings.max_wait_s, help="longest wait to retry")
    parser.add_argument("--fetch-wait-ms", type=int, default=PollerSettings.fetch_wait_ms)
    parser.add_argument("--grace-s", type=float, default=5.0, help="time to finish what runs at the end")
    return parser


if __name__ == "__main__":
    sys.exit(main())
