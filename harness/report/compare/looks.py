"""Looking at the samples again and again without crying wolf: when to look, and how much may be spent on each look.

Whoever tests after every round at 5 % calls a change between equals nearly always, sooner or later. Here look k may
err with a probability of 5 % / (k (k + 1)): that is 2.5 %, 0.8 %, 0.4 %, ..., and all of them together, however many
come, 5 %. The sum of probabilities bounds that of any of them whatever the looks have in common, so nothing has to be
assumed of the noise beyond what a single test assumes.

Not the group-sequential boundaries of Pocock or O'Brien and Fleming: they want the number of looks, or the largest
number of rounds, beforehand, and here a budget of time ends the sampling. Not an always-valid sequence by mixtures or
betting: it allows a look after every round, which nobody needs when a round costs a second, and pays for that with a
known variance or bounded noise. Looks at rounds that grow by half are few, so the price stays small:
the fifth look, at 21 rounds, still has 0.17 %.
"""

from __future__ import annotations

from collections.abc import Iterator

from harness.report.compare.judging import LEVEL

FIRST, GROWTH = 4, 1.5
LABEL = "until-decided"
"""Of rows whose number was chosen while they were looked at."""


def looks() -> Iterator[tuple[int, float]]:
    """Yield without end the number of rounds at each look and the level that may be spent there."""
    rounds, look = FIRST, 1
    while True:
        yield rounds, LEVEL / (look * (look + 1))
        rounds, look = round(rounds * GROWTH), look + 1
