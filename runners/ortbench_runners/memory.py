"""Peak resident set of this process, and free memory; None where the system cannot tell."""

from __future__ import annotations

import re
from pathlib import Path

_STATUS = Path("/proc/self/status")
_CLEAR_REFS = Path("/proc/self/clear_refs")


def reset_peak() -> bool:
    """Sets the kernel's high-water mark back to the present resident set; False where it cannot be set back."""
    try:
        _CLEAR_REFS.write_text("5")
        return True
    except OSError:
        # getrusage knows a peak too, but over the whole life of the process: a larger cell before would be counted.
        return False


def peak_rss_bytes() -> int | None:
    """The high-water mark since the last reset."""
    try:
        match = re.search(r"^VmHWM:\s+(\d+) kB$", _STATUS.read_text(), re.MULTILINE)
    except OSError:
        return None
    return int(match[1]) * 1024 if match else None


def available_bytes() -> int | None:
    """What the kernel could give out without swapping."""
    try:
        match = re.search(r"^MemAvailable:\s+(\d+) kB$", Path("/proc/meminfo").read_text(), re.MULTILINE)
    except OSError:
        return None
    return int(match[1]) * 1024 if match else None
