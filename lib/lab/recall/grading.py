"""Grades a reply to a question about a fact: recalled, admitted or made up. The first grade that applies counts.

1. **recalled**: the reply contains the fact's answer (lib/lab/answer_match.py), even among other values or after "I am
   not sure, but".
2. **admitted**: the reply is empty, or says that the model does not know ("I don't know", "you haven't told me", in a
   few languages), even if it guesses as well.
3. **made_up**: everything else.

Patterns grade the replies, not a model, so the same reply always gets the same grade.
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


def grade(reply: str, fact: Fact) -> Verdict:
    """The grade of a reply.

    Example: grade("The code is 4711.", fact) -> "recalled"; grade("You haven't told me.", fact) -> "admitted"
    """
    if contains(reply, fact.answer):
        return "recalled"
    if not reply.strip() or admits(reply):
        return "admitted"
    return "made_up"


def admits(reply: str) -> bool:
    """Whether a reply says that the model does not know.

    Example: admits("Sorry, I don’t have that information.") -> True
    """
    plain = re.sub(r"\b(do|does|did|could|have|has|had|was|were|is)n'?t\b", r"\1 not", folded(reply))
    plain = re.sub(r"\bcan(?:'?t|not)\b", "can not", plain)
    return _ADMISSIONS.search(" ".join(plain.split())) is not None
