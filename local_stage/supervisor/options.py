"""The settings of one supervised stage."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line chose."""

    home: Path
    root: Path
    stage_python: Path
    cdk: tuple[str, ...]
    kafka: str
    mysql: str
    redis: str
    http_port: int
    gateways: int = 1
    """How many cells the stage has."""
    attached: bool
    """Whether the stage ends with the command that started it."""

    @property
    def run(self) -> Path:
        """Where everything lives that goes away with the stage."""
        return self.home / "run"

    @property
    def logs(self) -> Path:
        """Where the logs of the steps and of the supervisor stay, until the next start."""
        return self.home / "logs"

    @property
    def syntheses(self) -> Path:
        """Where synthesized apps are kept for all stages of the checkout."""
        return self.root / ".gochat" / "syntheses"

    def words(self) -> list[str]:
        """Give the command line that `parse` reads back."""
        return [
            f"--home={self.home}",
            f"--root={self.root}",
            f"--stage-python={self.stage_python}",
            *(f"--cdk={word}" for word in self.cdk),
            f"--kafka={self.kafka}",
            f"--mysql={self.mysql}",
            f"--redis={self.redis}",
            f"--http-port={self.http_port}",
            f"--gateways={self.gateways}",
            *(["--attached"] if self.attached else []),
        ]


def parse(arguments: Sequence[str] | None = None) -> Options:
    """Read the command line; print usage and exit with 2 if it is wrong."""
    parser = argparse.ArgumentParser(prog="python -m local_stage.supervisor", description="Runs one local stage.")
    parser.add_argument("--home", type=Path, required=True, help="directory of this stage")
    parser.add_argument("--root", type=Path, required=True, help="the checkout")
    parser.add_argument("--stage-python", type=Path, required=True, help="the interpreter that the local AWS runs on")
    parser.add_argument("--cdk", action="append", required=True, help="a word of the command that runs the CDK CLI")
    parser.add_argument("--kafka", default="tansu", help="tansu, apache or HOST:PORT")
    parser.add_argument("--mysql", default="embedded", help="embedded or HOST:PORT")
    parser.add_argument("--redis", default="embedded", help="embedded or HOST:PORT")
    parser.add_argument("--http-port", type=int, default=0, help="port of the local AWS (default: a free one)")
    parser.add_argument("--gateways", type=int, default=1, help="how many cells (default: 1)")
    parser.add_argument("--attached", action="store_true", help="stop when the parent process ends")
    given = parser.parse_args(arguments)
    return Options(
        home=given.home.absolute(),
        root=given.root.absolute(),
        stage_python=given.stage_python.absolute(),
        cdk=tuple(given.cdk),
        kafka=given.kafka,
        mysql=given.mysql,
        redis=given.redis,
        http_port=given.http_port,
        gateways=given.gateways,
        attached=given.attached,
    )
