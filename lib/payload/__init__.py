"""Payload: the rules that providers have for a request, which of them it breaks, and its smallest repair.

The rule: pure. It judges messages in the order they would be sent and changes none; what a person does with the verdict is
theirs. It leaves out sending: only the provider can say for sure.
"""

from __future__ import annotations

from lib.payload.breaks import BREAKS, Break
from lib.payload.checking import Breach, breaches, refusals
from lib.payload.diff import Row, compared
from lib.payload.mending import Change
from lib.payload.repair import Repair, repaired
from lib.payload.rules import BY_ITSELF, PROVIDERS, RULES, Rule, RuleProvider, rule

__all__ = [
    "BREAKS", "BY_ITSELF", "PROVIDERS", "RULES", "Breach", "Break", "Change", "Repair", "Row", "Rule", "RuleProvider",
    "breaches", "compared", "refusals", "repaired", "rule",
]  # fmt: skip
