"""The tabs of the context-window page, by their titles; the page draws them, and other parts go to one of them."""

from __future__ import annotations

SENT, CHANGED, FIND, NEXT = "What was sent", "What changed", "Find a fact", "Next request"
