"""A package whose `__init__` waits until it is needed, in an interpreter of its own."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "heavy"
    (folder / "inner").mkdir(parents=True)
    (folder / "__init__.py").write_text("print('init ran')\nfrom heavy.light import VALUE\nVERSION = 1\n_HIDDEN = 2\n")
    (folder / "light.py").write_text("VALUE = 7\n")
    (folder / "inner" / "__init__.py").write_text("from heavy import light\n")
    return tmp_path


def run(package: Path, code: str) -> list[str]:
    program = "from gochat_core.deferred import defer_package\ndefer_package('heavy')\n" + textwrap.dedent(code)
    core = Path(__file__).parents[3] / "layers" / "core" / "python"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": f"{core}{os.pathsep}{package}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_its_modules_are_imported_without_it(package: Path) -> None:
    assert run(package, "import heavy.inner\nfrom heavy import light\nprint(light.VALUE, heavy.light.VALUE)") == ["7 7"]


def test_whatever_else_is_asked_of_it_runs_it_once(package: Path) -> None:
    assert run(package, "from heavy import VERSION, VALUE\nimport heavy\nprint(VERSION, VALUE, heavy._HIDDEN)") == [
        "init ran",
        "1 7 2",
    ]


def test_what_it_lacks_is_an_attribute_error(package: Path) -> None:
    told = run(package, "import heavy\ntry:\n    heavy.nothing\nexcept AttributeError as error:\n    print(error)")

    assert told == ["init ran", "module 'heavy' has no attribute 'nothing'"]


def test_a_package_that_was_imported_before_stays_as_it_is(package: Path) -> None:
    code = "import heavy\nprint(heavy.VERSION)\ndefer_package('heavy')\nprint(heavy.VERSION)"

    assert run(package, code) == ["init ran", "1", "1"]


def test_a_package_that_does_not_exist_is_still_not_found(package: Path) -> None:
    code = (
        "defer_package('absent')\ntry:\n    import absent\nexcept ModuleNotFoundError as error:\n    print(error.name)"
    )

    assert run(package, code) == ["absent"]


def test_the_real_packages_work_in_parts_and_as_a_whole(package: Path) -> None:
    told = run(
        package,
        """
        import sys
        defer_package("redis")
        defer_package("kafka")
        from redis import connection
        from kafka.producer.kafka import KafkaProducer
        print("redis.asyncio" in sys.modules, "kafka.consumer" in sys.modules)
        import redis, kafka
        print(redis.Redis.__name__, kafka.KafkaConsumer.__name__, kafka.KafkaProducer is KafkaProducer)
        """,
    )

    assert told == ["False False", "Redis KafkaConsumer True"]
