"""Payload: the rules that providers have for a request, which of them it breaks, and its smallest repair.

The rule: pure. It judges messages in the order they would be sent and changes none; what a person does with the verdict is
theirs. It leaves out sending: only the provider can say for sure.
"""

from __future__ import annotations

from lib.request_rules.break_on_purpose import BREAKS, Break
from lib.request_rules.check import Breach, breaches, refusals
from lib.request_rules.diff import Row, compared
from lib.request_rules.fixes import Change
from lib.request_rules.repair import Repair, repaired
from lib.request_rules.rules import BY_ITSELF, PROVIDERS, RULES, Rule, RuleProvider, rule

__all__ = [
    "BREAKS",
    "BY_ITSELF",
    "PROVIDERS",
    "RULES",
    "Breach",
    "Break",
    "Change",
    "Repair",
    "Row",
    "Rule",
    "RuleProvider",
    "breaches",
    "compared",
    "refusals",
    "repaired",
    "rule",
]
