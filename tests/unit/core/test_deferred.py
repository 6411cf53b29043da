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
    program = "from gochat_core.deferred import defer_module\ndefer_module('heavy')\n" + textwrap.dedent(code)
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


def test_a_module_is_run_once_something_is_asked_of_it(package: Path) -> None:
    (package / "heavy" / "light.py").write_text("print('light ran')\nVALUE = 7\n")

    told = run(package, "defer_module('heavy.light')\nfrom heavy import light\nprint('now')\nprint(light.VALUE)")

    assert told == ["now", "light ran", "7"]


def test_a_package_can_be_asked_for_what_one_of_its_modules_has_without_being_run(package: Path) -> None:
    (package / "heavy" / "inner" / "__init__.py").write_text("print('inner ran')\nfrom heavy.inner.part import PART\n")
    (package / "heavy" / "inner" / "part.py").write_text("PART = 3\n")

    told = run(package, "defer_module('heavy.inner', first='part')\nfrom heavy.inner import PART\nprint(PART)")

    assert told == ["3"]


def test_what_it_lacks_is_an_attribute_error(package: Path) -> None:
    told = run(package, "import heavy\ntry:\n    heavy.nothing\nexcept AttributeError as error:\n    print(error)")

    assert told == ["init ran", "module 'heavy' has no attribute 'nothing'"]


def test_a_package_that_was_imported_before_stays_as_it_is(package: Path) -> None:
    code = "import heavy\nprint(heavy.VERSION)\ndefer_module('heavy')\nprint(heavy.VERSION)"

    assert run(package, code) == ["init ran", "1", "1"]


def test_a_package_that_does_not_exist_is_still_not_found(package: Path) -> None:
    code = (
        "defer_module('absent')\ntry:\n    import absent\nexcept ModuleNotFoundError as error:\n    print(error.name)"
    )

    assert run(package, code) == ["absent"]
    assert run(package, "defer_module('absent.part')\nprint('not there')") == ["not there"]


def test_the_real_packages_work_in_parts_and_as_a_whole(package: Path) -> None:
    told = run(
        package,
        """
        import sys
        defer_module("redis")
        defer_module("kafka")
        defer_module("kafka.protocol.admin", first="groups")
        from redis import connection
        from kafka.producer.kafka import KafkaProducer
        print(*(name in sys.modules for name in ("redis.asyncio", "kafka.consumer", "kafka.protocol.admin.configs")))
        import redis, kafka
        print(redis.Redis.__name__, kafka.KafkaConsumer.__name__, kafka.KafkaProducer is KafkaProducer)
        from kafka.protocol.admin import CreateTopicsRequest, ListGroupsRequest
        from kafka.admin import KafkaAdminClient
        print(CreateTopicsRequest.__name__, ListGroupsRequest.__name__, KafkaAdminClient.__name__)
        """,
    )

    assert told == [
        "False False False",
        "Redis KafkaConsumer True",
        "CreateTopicsRequest ListGroupsRequest KafkaAdminClient",
    ]
