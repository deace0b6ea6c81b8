"""What is wrong in a file, line by line."""

from __future__ import annotations

from dataclasses import dataclass, field

from lib.errors import ImportRefused

SHOWN = 20
"""Problems that a refusal lists. Further ones are counted."""


@dataclass(slots=True)
class Problems:
    """Collects what is wrong. `where` names a line or a place in the file."""

    found: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, where: str, why: str) -> None:
        """Remember one problem. Example: add("Line 3", "the prompt is empty")"""
        self.count += 1
        if len(self.found) < SHOWN:
            self.found.append(f"{where}: {why}.")

    def raise_if_any(self) -> None:
        """Raises ImportRefused with all of them."""
        if not self.count:
            return
        more = [f"{self.count - SHOWN:,} more places are like these."] if self.count > SHOWN else []
        raise refused("\n".join(["The file cannot be used as it is.", *self.found, *more]), "Correct these lines.")


def refused(what: str, next_step: str | None = None) -> ImportRefused:
    """The error for a file that cannot be used. `what` is a sentence."""
    return ImportRefused(what, safe="Nothing was stored or sent.", next_step=next_step)
