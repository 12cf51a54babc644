"""Many cells at once: with twenty of them and no correction, two of three comparisons of equals would cry wolf."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted by Holm's method: below 5 % means that at most 5 % of whole comparisons err once.

    Holm and not Bonferroni, because it is never weaker; not Hochberg or Simes, because cells of one study share a
    machine and its moods, and Holm holds whatever they share; not a false discovery rate, because an alarm that is
    wrong one time in twenty for each *alarm* is an alarm that people switch off.
    """
    adjusted = [1.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted
