"""Writes what was observed as the rows of docs/faults.md."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from lib.providers.http_client import READ_SECONDS
from tests.faults.fault import Fault
from tests.faults.notes import MESSAGE, PART, Notes
from tests.faults.provider_faults import TIMEOUT_SECONDS
from tests.faults.stage import LABELS

DRAWN = " †"
"""Behind a sentence that was read off a page that app.py drew."""

INTRODUCTION = f"""\
# Faults, and what happens

`just faults` (`uv run python -m tests.faults`) wrote this page. It tries every fault below on real parts: the app's own
chat service, real redis-server processes, and the vendors' real SDKs in front of a server on this machine that
misbehaves. The sentences are those of the errors and pages of that run; nothing here is typed by hand.

- Before each fault two exchanges are stored. After it, everything that was acknowledged (stored messages, accepted
  prompts, words that had been read) is looked up in Redis, as another service would read it. It must be there exactly
  once, and a message that was refused must not be there.
- After each fault, one more message must be answered and stored by the same app.
- A sentence with † was read off the page that `app.py` drew.
- Faults of a model server are tried with the SDKs of OpenAI and of Anthropic. Where only the name differs, OpenAI's
  sentence is shown. This run waits {TIMEOUT_SECONDS} s for a silent server instead of {READ_SECONDS:.0f} s.
- Memory is how much the process grew at most, rounded up to 16, 64, 256 MB and so on. The misbehaving server is part
  of it.

"""
HEAD = "| fault | what the person sees | what is lost | how it recovers |\n|---|---|---|---|\n"


def document(rows: list[str]) -> str:
    """The whole page."""
    return INTRODUCTION + HEAD + "".join(rows)


def row(fault: Fault, noted: Mapping[str, Notes]) -> str:
    """One row, from the notes of each kind of SDK."""
    memory = f" Memory: {_at_most(max(notes.grown_mb for notes in noted.values()))}." if fault.bounded else ""
    return f"| {fault.title} | {seen(noted)} | {lost(noted)}{memory} | {recovery(noted)} |\n"


def seen(noted: Mapping[str, Notes]) -> str:
    """The sentences that were shown, and what went wrong in the fault itself."""
    sentences: dict[str, str] = {}
    for kind, notes in noted.items():
        for sentence, drawn in notes.shown.items():
            cell = quoted(sentence) + (DRAWN if drawn else "")
            sentences.setdefault(sentence.replace(LABELS[kind], "{label}"), cell)
    broken = [f"**Bug: {what}**" for notes in noted.values() for what in notes.broken]
    return "<br>".join([*sentences.values(), *map(_cell, broken)]) or "Nothing unusual: no error is shown."


def quoted(sentence: str) -> str:
    """A sentence as it stands in the table."""
    return f"“{_cell(sentence)}”"


def lost(noted: Mapping[str, Notes]) -> str:
    """What is missing, or what was compared."""
    missing = dict.fromkeys(what for notes in noted.values() for what in notes.lost)
    if missing:
        return _cell(f"**Lost: {'; '.join(missing)}**")
    notes = next(iter(noted.values()))
    if notes.deleted:
        others = "The message that was being answered and its reply are stored."
        return f"What the server deleted: {len(set(notes.deleted))} exchanges. {others}"
    words = f"Nothing: all {notes.stored} messages are there once."
    if MESSAGE in notes.kept:
        parts = f"and {PART} are" if PART in notes.kept else "is"
        words += f" The message {parts} kept until the person decides."
    return words


def recovery(noted: Mapping[str, Notes]) -> str:
    """What had to be done, and whether the app went on."""
    steps = dict.fromkeys(step for notes in noted.values() for step in notes.recovery)
    went_on = all("last" in notes.accepted for notes in noted.values())
    end = "The next message is answered." if went_on else "**The next message was not answered.**"
    return " ".join([*steps, end])


def _at_most(megabytes: float) -> str:
    return f"up to {4 ** math.ceil(math.log(max(megabytes, 16), 4) - 1e-9)} MB"


def _cell(text: str) -> str:
    """Text for a table cell, without the long rows of letters that some servers here send."""
    return " ".join(_SAME_LETTERS.sub(r"\1\1\1…", text).replace("|", "\\|").split())


_SAME_LETTERS = re.compile(r"(\w)\1{20,}")
