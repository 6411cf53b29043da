"""Command line of the web page's server: `python -m local_stage.web --port 8080 --root web --api-url URL …`."""

import argparse
import signal
import sys
from pathlib import Path
from types import FrameType

from local_stage.web.files import WebFiles
from local_stage.web.server import WebServer


def main() -> int:
    """Serve until a signal."""
    parser = argparse.ArgumentParser(prog="python -m local_stage.web", description="Serves the web page.")
    parser.add_argument("--port", type=int, required=True, help="where to listen on 127.0.0.1")
    parser.add_argument("--root", type=Path, required=True, help="the folder of the page")
    parser.add_argument("--api-url", required=True, help="base URL of the REST API, without /api/v1")
    parser.add_argument("--websocket-url", required=True, action="append", help="of each cell")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, _stop)
    files = WebFiles(root=given.root, api_url=given.api_url, websocket_urls=tuple(given.websocket_url))
    with WebServer(given.port, files) as server:
        print(f"ready: http://127.0.0.1:{given.port}", flush=True)
        server.serve_forever()
    return 0


def _stop(signal_number: int, frame: FrameType | None) -> None:
    del signal_number, frame
    sys.exit(0)


if __name__ == "__main__":
    sys.exit(main())
