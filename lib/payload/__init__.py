"""Payload: the rules that providers have for a request, which of them it breaks, and its smallest repair.

The rule: pure. It judges messages in the order they would be sent and changes none; what a person does with the verdict is
theirs. It leaves out sending: only the provider can say for sure.
"""

from __future__ import annotations

from lib.payload.checking import Breach, breaches, refusals
from lib.payload.rules import BY_ITSELF, PROVIDERS, RULES, Rule, RuleProvider, rule

__all__ = ["BY_ITSELF", "PROVIDERS", "RULES", "Breach", "Rule", "RuleProvider", "breaches", "refusals", "rule"]
