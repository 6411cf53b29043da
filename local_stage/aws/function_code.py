"""Unpack the code and the layers of functions, once for each content, under the state directory."""

from __future__ import annotations

import calendar
import hashlib
import io
import os
import shutil
import sys
import tempfile
import threading
import zipfile
from pathlib import Path

# More than one deployment has functions and layers; those of earlier deployments may go.
REMEMBERED_ARCHIVES = 32


class CodeStore:
    """Directories of unpacked archives, named by the digest of the archive."""

    def __init__(self, directory: Path) -> None:
        """Keep the archives' contents in `directory`, which survives the launcher and is never pruned by it."""
        self._directory = directory
        self._lock = threading.Lock()
        self._digests: dict[int, tuple[bytes, str]] = {}
        directory.mkdir(parents=True, exist_ok=True)

    def unpack(self, archive: bytes) -> Path:
        """Give the directory with the archive's files, unpacking them the first time; raise BadZipFile for rubbish."""
        with self._lock:
            target = self._directory / self._digest(archive)
            if not target.is_dir():
                self._extract(archive, target)
        return target

    def _digest(self, archive: bytes) -> str:
        """Hash an archive once: it is many megabytes, immutable, and asked for at each cold start."""
        known = self._digests.get(id(archive))
        if known is None or known[0] is not archive:
            known = (archive, hashlib.sha256(archive).hexdigest()[:32])
            self._digests[id(archive)] = known
            while len(self._digests) > REMEMBERED_ARCHIVES:
                self._digests.pop(next(iter(self._digests)))
        return known[1]

    def _extract(self, archive: bytes, target: Path) -> None:
        # Unpacked beside and renamed, so that a crash in between leaves no half of a function behind.
        scratch = Path(tempfile.mkdtemp(dir=self._directory, prefix="unpacking-"))
        try:
            with zipfile.ZipFile(io.BytesIO(archive)) as content:
                for entry in content.infolist():
                    path = Path(content.extract(entry, scratch))
                    mode = entry.external_attr >> 16
                    if mode and not entry.is_dir():
                        path.chmod(mode | 0o444)
                    _restore_time(path, entry)
            scratch.rename(target)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def _restore_time(path: Path, entry: zipfile.ZipInfo) -> None:
    """Give the file its recorded time: byte code is checked against its source's, and recompiled when they differ."""
    year, month, day, hour, minute, second = entry.date_time
    stamp = calendar.timegm((year, month, day, hour, minute, second, 0, 0, 0))
    os.utime(path, (stamp, stamp))


def search_path(code: Path, layers: list[Path]) -> list[str]:
    """Order the import roots as the Python runtime does: code, layers (a later one wins), then the runtime's own.

    Source: awslambdaric bootstrap, "LAMBDA_TASK_ROOT -> /opt/python/lib/pythonN.N/site-packages -> /opt/python".
    """
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    roots = [layer / "python" / "lib" / version / "site-packages" for layer in reversed(layers)]
    roots += [layer / "python" for layer in reversed(layers)]
    return [str(code), *(str(root) for root in roots if root.is_dir())]
