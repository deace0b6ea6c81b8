"""Tries one fault and returns the notes: how the table and the tests come to know what happens."""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress
from pathlib import Path

from tests.faults import connection_faults, provider_faults, redis_faults
from tests.faults.fault import FAULTS, Fault
from tests.faults.notes import Notes
from tests.faults.stage import staged

__all__ = ["ALL", "MEMORY_MB", "try_fault"]

MODULES = (redis_faults, connection_faults, provider_faults)
ALL: tuple[Fault, ...] = tuple(
    fault for module in MODULES for fault in FAULTS if fault.act.__module__ == module.__name__
)
MEMORY_MB = 128
"""How much a fault may make the app grow for a moment: the tests and the models in it take several times as much."""
_STATUS = Path("/proc/self/status")


def try_fault(fault: Fault, kind: str = "openai") -> Notes:
    """Bring the fault about, lift it, and return what was noted."""
    notes = Notes()
    try:
        with staged(fault.options, kind, notes) as stage:
            if fault.destroys:
                notes.doomed = list(notes.accepted)
            before = _from_now_on()
            fault.act(stage)
            notes.grown_mb = (_memory_mb("VmHWM") or 0.0) - before
    except AssertionError as error:
        notes.broken.append(str(error))
    return notes


def _from_now_on() -> float:
    """Forget the peak of this process's memory so far; return what it uses now, in MB."""
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)  # glibc: return what is free, or the next fault would fill that first
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return _memory_mb("VmRSS") or 0.0


def _memory_mb(name: str) -> float | None:
    """A line of /proc/self/status in MB: VmRSS for memory in use, VmHWM for its peak. None on other systems."""
    with suppress(OSError):
        for line in _STATUS.read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) / 1000
    return None
