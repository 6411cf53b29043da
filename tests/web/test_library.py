"""The web client's library, tested where it runs: Node's own test runner stands for the browser."""

import subprocess
from pathlib import Path

from dev_cli.setup.node import node_environment

TESTS = sorted((Path(__file__).parent / "gochat").glob("*.test.mjs"))


def test_the_library_keeps_what_the_contract_asks_of_a_client() -> None:
    assert TESTS
    node = subprocess.run(
        [node_environment()["JSII_NODE"], "--no-warnings", "--test", *map(str, TESTS)],
        capture_output=True,
        text=True,
    )
    assert node.returncode == 0, node.stdout + node.stderr
