"""The tabs of the context-window page, by their titles; the page draws them, and other parts go to one of them."""

from __future__ import annotations

FIND, SENT, CHANGED, NEXT = "Find a fact", "Messages", "What changed", "Next request"
