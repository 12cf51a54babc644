"""How often a whole comparison may be wrong: corrections for many cells at once, and for looking again and again.

Many cells. With twenty cells and no correction, two of three comparisons of equals would call some change. ``holm``
corrects for that. We use Holm and not Bonferroni, because Holm is never weaker. We use neither Hochberg nor Simes,
because the cells of one study share a machine and its disturbances, and Holm holds whatever they share. We do not
control a false discovery rate, because people switch off a gate whose alarms are often wrong.

Many looks. Whoever tests after every round at 5 % calls a change between equals nearly always, sooner or later. In
``looks``, look k may err with a probability of 5 % / (k (k + 1)). That is 2.5 %, 0.8 %, 0.4 %, ..., and 5 % for all
looks together, however many there are. The sum of the probabilities is a bound whatever the looks have in common, so
nothing has to be assumed of the noise beyond what a single test assumes.

The group-sequential boundaries of Pocock or O'Brien and Fleming need the number of looks, or the largest number of
rounds, beforehand; here a budget of time ends the sampling. An always-valid sequence by mixtures or betting allows a
look after every round, which nobody needs if a round costs a second, and it needs a known variance or bounded noise.
Here the number of rounds grows by half from look to look, so the looks are few and the price stays small: the fifth
look, at 21 rounds, still has 0.17 %.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

LEVEL = 0.05
"""At most this share of whole comparisons of equals may call any change."""
FIRST, GROWTH = 4, 1.5
"""The number of rounds at the first look, and by how much it grows from look to look."""
LABEL = "until-decided"
"""The label of rows whose number was decided by looking at them."""


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted by Holm's method.

    If every cell whose adjusted value is below 5 % is called changed, at most 5 % of whole comparisons err at all.
    """
    adjusted = [1.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted


def looks() -> Iterator[tuple[int, float]]:
    """Yield, without end, the number of rounds at each look and the level that this look may spend."""
    rounds, look = FIRST, 1
    while True:
        yield rounds, LEVEL / (look * (look + 1))
        rounds, look = round(rounds * GROWTH), look + 1
