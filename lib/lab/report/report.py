"""Writes and reads reports: the lab's results as JSON, with everything needed to judge them later.

A report names its conversation (by the SHA-256 of the messages), settings, versions, counters and time. It holds no
messages except sentences with facts and replies to questions, and never an API key. Reading a written report gives
equal values, and reports of earlier versions can be read: field names and values are part of the format.
"""

from __future__ import annotations

import hashlib
import json
import time
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from itertools import pairwise
from math import isfinite
from pathlib import Path
from typing import NoReturn

from lib.context import NO_MARKS, Marks
from lib.errors import ImportRefused
from lib.lab.bakeoff import BakeOff, Contestant
from lib.lab.break_points import Marker
from lib.lab.cliff_map import CliffMap
from lib.lab.facts import Fact
from lib.lab.recall.plan import Arm
from lib.lab.recall.run import Answer
from lib.lab.report.plain_json import plain, refused, typed
from lib.messages import Message
from lib.pricing.catalogue import prices_note
from lib.tokens import Provenance

FORMAT = "windowseat trim lab"
VERSION = 1
PROJECT = Path(__file__).parents[3] / "pyproject.toml"
PACKAGES = ("tiktoken", "ctok", "genai-prices", "xllamacpp", "openai", "anthropic")
"""The packages that count, price and answer; a report has their versions."""


@dataclass(frozen=True, slots=True)
class ReportHeader:
    """Which conversation a report is about, and what it was made with."""

    history_sha256: str
    """Of the stored messages, from `history_sha256`."""
    messages: int
    """How many messages were stored."""
    made_at: float
    """Seconds since the epoch."""
    versions: Mapping[str, str]
    """Of windowseat and of PACKAGES."""
    prices: str
    """Where prices come from, in words."""
    muted: tuple[int, ...] = ()
    """Stored indexes of the user messages whose exchanges were never sent."""
    pinned: tuple[int, ...] = ()
    """Stored indexes of the user messages whose exchanges were always sent."""

    @classmethod
    def now(cls, history: Sequence[Message], marks: Marks = NO_MARKS) -> ReportHeader:
        """The header of a report about this conversation that is made now."""
        return cls(
            history_sha256(history),
            len(history),
            time.time(),
            versions(),
            prices_note(),
            tuple(sorted(marks.muted)),
            tuple(sorted(marks.pinned)),
        )


@dataclass(frozen=True, slots=True)
class Cliffs:
    """A cliff map with its settings and counter."""

    entry: Contestant
    counter: str
    provenance: Provenance
    made: CliffMap
    markers: tuple[Marker, ...] = ()


@dataclass(frozen=True, slots=True)
class Recall:
    """The questions of a recall probe, and the answers."""

    arms: tuple[Arm, ...]
    answers: tuple[Answer, ...]
    asked: int
    """How many questions were planned; more than there are answers if the probe was stopped."""
    closing: str = ""
    """The sentence that was added to each question."""


@dataclass(frozen=True, slots=True)
class Report:
    """The results about one conversation; what was not computed is None or empty."""

    about: ReportHeader
    facts: tuple[Fact, ...] = ()
    cliffs: tuple[Cliffs, ...] = ()
    bake_off: BakeOff | None = None
    recall: Recall | None = None
    notes: Mapping[str, str] = field(default_factory=dict)
    """A person's own notes by name."""


def write(report: Report) -> str:
    """A report as JSON text, all ASCII.

    Example: write(Report(ReportHeader.now(history))) -> '{"format": "windowseat trim lab", "version": 1, ...'
    """
    return json.dumps({"format": FORMAT, "version": VERSION, **plain(report)}, indent=1, allow_nan=False)


def read(json_text: str) -> Report:
    """The report in a JSON text. Raises ImportRefused, which says what is wrong and where.

    Example: read(write(report)) == report
    """
    try:
        found = json.loads(json_text.removeprefix("\ufeff"), parse_constant=_no_number, parse_float=_number)
    except (ValueError, RecursionError) as exc:
        raise refused(
            "it is not JSON" if not isinstance(exc, json.JSONDecodeError) else f"it is not JSON ({exc})"
        ) from exc
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ImportRefused("This is not a report of the trim lab.")
    if found.get("version") != VERSION:
        raise ImportRefused(
            f"This report has version {found.get('version')!r}, and only version {VERSION} can be read here.",
            next_step="Open it with the version of Windowseat that wrote it.",
        )
    rest = {name: value for name, value in found.items() if name not in ("format", "version")}
    report: Report = typed(Report, rest, "the report")
    _check(report)
    return report


def history_sha256(history: Sequence[Message]) -> str:
    """SHA-256, in hexadecimal, of the messages as a JSON array: ASCII, without spaces, fields as they are stored.

    Example: history_sha256([]) -> "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945"
    """
    text = json.dumps([message.to_dict() for message in history], separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


@cache
def versions() -> dict[str, str]:
    """The versions of windowseat and of those of PACKAGES that are installed.

    Example: {"windowseat": "0.1.0", "tiktoken": "0.14.0", ...}
    """
    known = {}
    try:
        known["windowseat"] = str(tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["version"])
    except (OSError, ValueError, KeyError):
        known["windowseat"] = "unknown"
    for name in PACKAGES:
        try:
            known[name] = version(name)
        except PackageNotFoundError:
            continue
    return known


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _number(text: str) -> float:
    number = float(text)
    return number if isfinite(number) else _no_number(text)


def _check(report: Report) -> None:
    """Refuse values that contradict each other, because charts of them would be wrong."""
    for cliffs in report.cliffs:
        _check_cliff_map(cliffs.made)
    if report.bake_off is not None:
        for run in report.bake_off.courses:
            if any(len(step.facts) != len(report.bake_off.facts) for step in run.steps):
                raise refused(f"the turns of {run.entry.name!r} have other facts than the bake-off")


def _check_cliff_map(cliff_map: CliffMap) -> None:
    budgets = cliff_map.budgets
    if budgets != tuple(row.budget for row in cliff_map.rows) or list(budgets) != sorted(set(budgets)):
        raise refused("the rows of a cliff map do not match its budgets")
    for row in cliff_map.rows:
        edges = [0, *(edge for run in row.runs for edge in run[:2])]
        if edges != sorted(edges) or any(before.stop != after.start for before, after in pairwise(row.runs)):
            raise refused(f"the runs at a budget of {row.budget} do not follow each other")
