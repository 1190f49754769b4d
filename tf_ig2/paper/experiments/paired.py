"""Differences between two arms on the same explicands, as records that a table can be made of."""

from __future__ import annotations

from collections.abc import Iterable

from tf_ig2.paper.experiments.records import Record


def differences(records: Iterable[Record], arm: str, base: str, name: str | None = None) -> list[Record]:
    """By how much an arm's scores exceed another's, explicand by explicand.

    Args:
      records: of both arms, and maybe of more.
      arm: the minuend.
      base: the subtrahend.
      name: of the arm that the differences make; None: that of `arm`.

    Returns:
      One record for each explicand that both arms have, in the order of `arm`, with the metrics that both have.

    Example:
      >>> records = [Record("a", "dog.png", {"auc": 0.75}), Record("b", "dog.png", {"auc": 0.5})]
      >>> differences(records, "a", "b")
      [Record(arm='a', explicand='dog.png', scores={'auc': 0.25})]
    """
    records = list(records)
    known = {record.explicand: record.scores for record in records if record.arm == base}
    return [
        Record(
            name or arm,
            record.explicand,
            {
                metric: score - known[record.explicand][metric]
                for metric, score in record.scores.items()
                if metric in known[record.explicand]
            },
        )
        for record in records
        if record.arm == arm and record.explicand in known
    ]
