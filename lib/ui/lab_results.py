"""What the lab found, as files, and files put back on the page.

The rule: a file names the settings, the versions and the conversation's SHA-256, and never holds a key; one that cannot be read
is refused with a reason, and changes nothing.
"""

from __future__ import annotations

from lib.lab.bakeoff import BakeOff
from lib.lab.probe import Probe
from lib.ui.lab import Lab


def download_bakeoff(lab: Lab, made: BakeOff) -> None:
    """The bake-off as a file."""


def download_probe(lab: Lab, probe: Probe) -> None:
    """The probe's answers as a file."""
