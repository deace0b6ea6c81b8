"""Checks a request against the provider's rules for its shape, and suggests the smallest repair.

Nothing here sends a request or changes a message; only the provider can say for sure whether it accepts a request.
"""

from __future__ import annotations

from lib.request_rules.break_on_purpose import BREAKS, Break
from lib.request_rules.check import Breach, breaches, refusals
from lib.request_rules.diff import DiffRow, diff_rows
from lib.request_rules.fixes import Change
from lib.request_rules.repair import Repair, repaired
from lib.request_rules.rules import PROVIDERS, RULES, SINGLE_MESSAGE_RULES, Rule, RuleProvider, rule

__all__ = [
    "BREAKS",
    "PROVIDERS",
    "RULES",
    "SINGLE_MESSAGE_RULES",
    "Breach",
    "Break",
    "Change",
    "DiffRow",
    "Repair",
    "Rule",
    "RuleProvider",
    "breaches",
    "diff_rows",
    "refusals",
    "repaired",
    "rule",
]
