"""Reads the times that users type: so long ago, or a moment in UTC."""

import argparse
import re
import time
from datetime import UTC, datetime

_UNITS_S = {"m": 60, "h": 3600, "d": 86_400}


def parse_time_ms(text: str) -> int:
    """Give milliseconds since 1970 of `90m`, `6h`, `3d` (ago) or `2026-11-23T09:00`."""
    if ago := re.fullmatch(r"(\d+)([mhd])", text):
        return int((time.time() - int(ago[1]) * _UNITS_S[ago[2]]) * 1000)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither like 6h nor like 2026-11-23T09:00") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
