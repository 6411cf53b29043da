"""Compares what is generated with what its sources say now."""

from pathlib import Path

from dev_cli.generation import code_map, errors_page, protobuf


def stale_files() -> dict[Path, str | None]:
    """Map each generated file that is not up to date to its right text; None: the file has no source any more."""
    # The stubs come first: the code map lists the files that are there, and names the generated ones once.
    wanted: dict[Path, str | None] = {**protobuf.stubs(), **errors_page.pages(), **code_map.pages()}
    stale = {path: text for path, text in wanted.items() if not path.is_file() or path.read_text() != text}
    orphans = {path: None for path in protobuf.committed_stubs() if path not in wanted}
    return {**stale, **orphans}
