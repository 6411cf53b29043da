"""Looks through a finished bundle for what would fail, or only cost, in Lambda; each look lists its findings."""

import _imp
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from email.parser import HeaderParser
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection
from packaging.tags import Tag, compatible_tags, cpython_tags, parse_tag

RELEASE = (3, 13)
CACHE_TAG = "cpython-313"
MAGIC_NUMBER = (3571).to_bytes(2, "little") + b"\r\n"
"""Python 3.13's (CPython, `Include/internal/pycore_magic_number.h`)."""
UNCHECKED_HASH = (0b01).to_bytes(4, "little")
"""The flags of byte code that is never compared with its source (PEP 552)."""

NEWEST_SYMBOLS = {"GLIBC": (2, 34), "GLIBCXX": (3, 4, 29), "CXXABI": (1, 3, 13), "GCC": (11,)}
"""What Amazon Linux 2023 has: glibc 2.34 and the libraries of GCC 11 (its release notes; "ABI Policy" of libstdc++)."""
SYSTEM_LIBRARIES = {
    *("libc.so.6", "libm.so.6", "libpthread.so.0", "librt.so.1", "libdl.so.2", "ld-linux-aarch64.so.1"),
    *("libgcc_s.so.1", "libstdc++.so.6"),
}
"""What a wheel may take from the system: the part of PEP 600's list that our wheels use."""

BROUGHT_BY_THE_RUNTIME = {"boto3", "botocore", "s3transfer", "urllib3", "dateutil", "six", "awslambdaric", "pip"}
"""What Lambda's Python has itself, but `jmespath`, which Powertools needs: see `test_lambda_packages.py`."""

UNREAD_SUFFIXES = {
    *(".pyi", ".pyx", ".pxd", ".proto", ".c", ".cc", ".cpp", ".h", ".hpp", ".rs", ".js", ".css", ".html", ".map"),
    *(".a", ".o", ".dll", ".dylib", ".pyd", ".exe", ".whl", ".zip", ".gz"),
}
UNREAD_FOLDERS = {"test", "tests", "testdata", "testing", "docs", "examples", "node_modules", ".git"}


def foreign_code(folder: Path) -> Iterator[str]:
    """Name native code that Lambda's arm64 image can't load: whatever is called a library, and whatever is one."""
    for path in _files(folder):
        if path.suffix == ".so" or ".so." in path.name or _starts_as_elf(path):
            yield from (f"{path.relative_to(folder)}: {finding}" for finding in _unloadable(path))


def _starts_as_elf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def _unloadable(path: Path) -> Iterator[str]:
    with path.open("rb") as file:
        try:
            elf = ELFFile(file)
        except ELFError as error:
            yield str(error)
            return
        if (elf["e_machine"], elf.elfclass, elf.little_endian) != ("EM_AARCH64", 64, True):
            yield f"is for {elf['e_machine']}"
        for section in elf.iter_sections():
            if isinstance(section, GNUVerNeedSection):
                for _, versions in section.iter_versions():
                    yield from (f"needs {one.name}" for one in versions if _is_too_new(one.name))
            elif isinstance(section, DynamicSection):
                # The reader adds the attribute to tags of this kind alone.
                needed: set[str] = {getattr(tag, "needed") for tag in section.iter_tags("DT_NEEDED")}  # noqa: B009
                yield from (f"needs the library {name}" for name in sorted(needed - SYSTEM_LIBRARIES))


def _is_too_new(symbol: str) -> bool:
    family, _, version = symbol.partition("_")
    numbers = tuple(int(number) for number in version.split(".") if number.isdecimal())
    return not numbers or numbers > NEWEST_SYMBOLS.get(family, ())


def foreign_wheels(folder: Path) -> Iterator[str]:
    """Name distributions that were built for another Python or another platform."""
    fitting = _fitting_tags()
    for wheel in folder.rglob("*.dist-info/WHEEL"):
        names = HeaderParser().parsestr(wheel.read_text()).get_all("Tag", [])
        if not any(fitting & parse_tag(name) for name in names):
            yield f"{wheel.parent.name}: {', '.join(names)}"


def _fitting_tags() -> set[Tag]:
    platforms = [f"manylinux_2_{minor}_aarch64" for minor in range(34, 16, -1)]
    platforms.append("manylinux2014_aarch64")
    return {*cpython_tags(RELEASE, platforms=platforms), *compatible_tags(RELEASE, "cp313", platforms)}


def unread_files(folder: Path) -> Iterator[str]:
    """Name files that no running function reads, and links, which a zip file may lose."""
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        in_vain = path.suffix in UNREAD_SUFFIXES or path.name.startswith((".", "test_", "conftest."))
        if path.is_symlink() or (path.is_dir() and path.name in UNREAD_FOLDERS) or (path.is_file() and in_vain):
            yield name


def unreadable_files(folder: Path) -> Iterator[str]:
    """Name what Lambda's user could not read; modes are part of a zip file."""
    for path in (folder, *folder.rglob("*")):
        needed = 0o555 if path.is_dir() else 0o444
        if path.stat().st_mode & needed != needed:
            yield path.relative_to(folder).as_posix()


def missing_byte_code(folder: Path) -> Iterator[str]:
    """Name modules without byte code of this very source, and byte code that 3.13 would not take."""
    expected = {source.parent / "__pycache__" / f"{source.stem}.{CACHE_TAG}.pyc": source for source in _sources(folder)}
    found = {path for path in folder.rglob("*") if path.is_file() and "__pycache__" in path.parts} | set(
        folder.rglob("*.pyc")
    )
    yield from (f"{path.relative_to(folder)} is missing" for path in sorted(expected.keys() - found))
    yield from (f"{path.relative_to(folder)} is left over" for path in sorted(found - expected.keys()))
    for path in sorted(expected.keys() & found):
        header = path.read_bytes()[:16]
        source_hash = _imp.source_hash(int.from_bytes(MAGIC_NUMBER, "little"), expected[path].read_bytes())
        if header != MAGIC_NUMBER + UNCHECKED_HASH + source_hash:
            yield f"{path.relative_to(folder)} starts with {header.hex()}"


def doubled_names(folders: Sequence[Path]) -> Iterator[str]:
    """Name what stands twice on a function's path, or hides the standard library."""
    counted = Counter(name for folder in folders for name in top_level_names(folder))
    yield from (f"{name} stands {times} times" for name, times in counted.items() if times > 1)
    yield from (f"{name} hides the standard library's" for name in counted if name in sys.stdlib_module_names)
    distributions = Counter(
        HeaderParser().parsestr(path.read_text())["Name"].lower()
        for folder in folders
        for path in folder.glob("*.dist-info/METADATA")
    )
    yield from (f"{name} is installed {times} times" for name, times in distributions.items() if times > 1)


def brought_by_the_runtime(folders: Sequence[Path]) -> Iterator[str]:
    """Name what Lambda's runtime has already."""
    for folder in folders:
        yield from sorted(BROUGHT_BY_THE_RUNTIME & set(top_level_names(folder)))


def top_level_names(folder: Path) -> Iterator[str]:
    """Yield what can be imported from a folder of the path."""
    for path in sorted(folder.iterdir()):
        if path.name == "__pycache__" or path.suffix == ".dist-info":
            continue
        if path.is_dir() or path.suffix in (".py", ".so"):
            yield path.name.split(".")[0]


def size_bytes(folders: Iterable[Path]) -> int:
    """Add up what folders take unzipped."""
    return sum(path.stat().st_size for folder in folders for path in _files(folder))


def _files(folder: Path) -> Iterator[Path]:
    yield from (path for path in sorted(folder.rglob("*")) if path.is_file())


def _sources(folder: Path) -> Iterator[Path]:
    yield from sorted(folder.rglob("*.py"))
