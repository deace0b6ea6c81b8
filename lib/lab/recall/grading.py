"""What a reply to a question about a fact is worth: recalled, admitted, or made up.

The rule, in this order:

1. **recalled**: the reply holds the fact's answer (lib/lab/answer_match.py says what counts as the same). A reply that names
   several values has recalled where the right one is among them, and one that says "I am not sure, but 4711" has, too.
2. **admitted**: it says that it does not know ("I don't know", "you haven't told me", "there is no mention of it", a few
   more languages), whatever it guesses besides. An empty reply claims nothing and is here, too.
3. **made_up**: everything else.

It leaves out judging by a model: the same reply is worth the same each time, and a test can say why.
"""

from __future__ import annotations

import re
from typing import Literal

from lib.lab.answer_match import contains, folded
from lib.lab.facts import Fact

Verdict = Literal["recalled", "admitted", "made_up"]

VERDICT_TEXT: dict[Verdict, str] = {
    "recalled": "The answer is in the reply.",
    "admitted": "The reply says that it does not know.",
    "made_up": "The reply claims something else.",
}

_ADVERBS = r"(?:(?:actually|really|currently|personally|ever|yet|been|be|to|have|explicitly|specifically) )*"
_ADMISSIONS = re.compile(
    "|".join(
        (
            (
                rf"\b(?:i|we) {_ADVERBS}(?:do|did|can|could) not"
                rf" {_ADVERBS}(?:know|recall|remember|determine|access|find|see|say)\b"
            ),
            rf"\bnot {_ADVERBS}able to (?:know|recall|remember|determine|access|find|see|tell|say|answer)\b",
            (
                rf"\b(?:i|we) {_ADVERBS}(?:do|did) not {_ADVERBS}have"
                r" (?:any|that|this|the|your|enough|access|an?|information|details|specific|memory)\b"
            ),
            (
                r"\b(?:have|has|had|did|was|were|is) not"
                rf" {_ADVERBS}(?:told|tell|mention|said|say|provide|give|given|share|specif|state|include)"
            ),
            r"\bnever (?:told|mentioned|said|gave|shared|provided)",
            r"\bno (?:information|record|mention|detail|memory|access|idea|way of knowing|way to know)",
            r"\bnot (?:sure|certain|aware|known|available|mentioned|provided|specified|stated|given)\b",
            r"\b(?:unsure|unable to|unknown)\b",
            r"\bweiss (?:ich )?(?:es |das )?(?:leider )?nicht\b|\bkeine (?:informationen|angaben|ahnung)\b",
            r"\bnicht (?:bekannt|erwahnt|genannt|gesagt|mitgeteilt)\b",
            r"\bje ne (?:le )?sais pas\b|\bno (?:lo )?se\b|\bnon lo so\b|\bnao sei\b",
        )
    )
)


def score(reply: str, fact: Fact) -> Verdict:
    """What the reply is worth.

    Example: score("The code is 4711.", fact) -> "recalled"; score("You haven't told me.", fact) -> "admitted"
    """
    if contains(reply, fact.answer):
        return "recalled"
    if not reply.strip() or admits(reply):
        return "admitted"
    return "made_up"


def admits(reply: str) -> bool:
    """Whether a reply says that it does not know.

    Example: admits("Sorry, I don’t have that information.") -> True
    """
    plain = re.sub(r"\b(do|does|did|could|have|has|had|was|were|is)n'?t\b", r"\1 not", folded(reply))
    plain = re.sub(r"\bcan(?:'?t|not)\b", "can not", plain)
    return _ADMISSIONS.search(" ".join(plain.split())) is not None
