"""Names the directory for downloads and templates that all checkouts of a user share."""

import os
from pathlib import Path


def cache_dir() -> Path:
    """Return `${XDG_CACHE_HOME:-~/.cache}/gochat`; it need not exist yet, and may be deleted at any time."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "gochat"
