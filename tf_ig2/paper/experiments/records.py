"""What an experiment has finished so far: a file that grows line by line and survives being killed."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import warnings
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tf_ig2 import files


@dataclass(frozen=True)
class Record:
    """The scores of one method on one explicand.

    Attributes:
      arm: the row of the table: the method, or the variant of it.
      explicand: the explicand's name; the same in all arms, so that arms can be compared pair by pair.
      scores: metric → number.
    """

    arm: str
    explicand: str
    scores: Mapping[str, float]


class Records:
    """Records on disk. Each line carries a checksum; what a kill has left half-written is found, said, and dropped.

    Of several records of one explicand in one arm the last counts. What they depend on lies beside them as JSON.

    Args:
      folder: where the file is; made if it is not there.
      name: of the experiment.
      settings: everything that the scores depend on (seed, samples, steps …), as JSON. Other settings make another
        file, so that results of different settings are never mixed.
      arms: arm → what only its scores depend on, as JSON. Records of an arm that depended on something else are
        dropped; an arm of which nothing is said stays.

    Raises:
      OSError: the folder cannot be made or the file not be read.
      TypeError: `settings` are not JSON.

    Example:
      >>> import tempfile
      >>> records = Records(tempfile.mkdtemp(), "example", {"seed": 0})
      >>> records.append([Record("IG", "dog.png", {"auc": 0.75})])
      >>> records.finished("IG")
      {'dog.png'}
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        name: str,
        settings: Mapping[str, Any],
        arms: Mapping[str, Any] | None = None,
    ):
        header = json.dumps(settings, sort_keys=True)
        self.path = Path(folder) / f"{name}-{hashlib.sha256(header.encode()).hexdigest()[:12]}.jsonl"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._records = {(record.arm, record.explicand): record for record in self._read()}
        self._settings = settings
        if arms is not None:
            self.describe(arms)

    def __iter__(self) -> Iterator[Record]:
        return iter(self._records.values())

    def __len__(self) -> int:
        return len(self._records)

    def finished(self, arm: str, metrics: Iterable[str] = ()) -> set[str]:
        """The explicands whose scores in this arm are known, and by all of these metrics."""
        wanted = set(metrics)
        return {
            explicand
            for (known, explicand), record in self._records.items()
            if known == arm and wanted <= record.scores.keys()
        }

    def known(self, arm: str, explicand: str) -> Mapping[str, float]:
        """What is known of an explicand in an arm: metric → number; nothing where there is no record."""
        record = self._records.get((arm, explicand))
        return {} if record is None else record.scores

    def append(self, records: Iterable[Record]) -> None:
        """Adds records; they are on disk when this returns.

        Raises:
          ValueError: a score is NaN or infinite; none of the records is added.
          OSError: the file cannot be written; what it held before is still good.
        """
        new = list(records)
        lines = b"".join(_line(record) for record in new)
        with open(self.path, "ab") as file:
            before = file.tell()
            try:
                file.write(lines)
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                with contextlib.suppress(OSError):  # half a line would spoil the next one
                    os.truncate(self.path, before)
                raise
        self._records.update({(record.arm, record.explicand): record for record in new})

    def describe(self, arms: Mapping[str, Any]) -> None:
        """Writes what the records of arms depend on beside them, and drops those that depended on something else.

        Args:
          arms: as for the class, where they are known only after it was made.

        Raises:
          OSError: the files cannot be written.
        """
        path = self.path.with_suffix(".json")
        known: dict[str, Any] = {}
        if path.exists():
            with contextlib.suppress(OSError, ValueError):
                known = json.loads(path.read_bytes())["arms"]
        wanted = json.loads(json.dumps(arms))
        stale = {arm for arm, own in wanted.items() if arm in known and known[arm] != own}
        if stale:
            self._records = {key: record for key, record in self._records.items() if key[0] not in stale}
            with files.whole(self.path) as file:
                file.write(b"".join(map(_line, self._records.values())))
        if known != (all_arms := {**known, **wanted}) or not path.exists():
            text = json.dumps(
                {"settings": self._settings, "arms": all_arms}, indent=1, sort_keys=True, ensure_ascii=False
            )
            with files.whole(path) as file:
                file.write(text.encode())

    def _read(self) -> list[Record]:
        if not self.path.exists():
            return []
        with open(self.path, "rb") as file:
            lines = file.readlines()
        records = [record for record in map(_parsed, lines) if record is not None]
        if len(records) < len(lines):
            warnings.warn(
                f"{str(self.path)!r}: {len(lines) - len(records)} of {len(lines)} lines are damaged or half-written; "
                "they are computed again.",
                stacklevel=3,
            )
            with files.whole(self.path) as file:
                file.write(b"".join(map(_line, records)))
        return records


def _line(record: Record) -> bytes:
    for metric, score in record.scores.items():
        if not math.isfinite(score):
            raise ValueError(f"{metric!r} of {record.explicand!r} by {record.arm!r} is {score}: scores must be finite.")
    content = [record.arm, record.explicand, {metric: float(score) for metric, score in record.scores.items()}]
    # File names that are not UTF-8 have surrogates in Python.
    text = json.dumps(content, ensure_ascii=False).encode(errors="surrogatepass")
    return b"%08x %b\n" % (zlib.crc32(text), text)


def _parsed(line: bytes) -> Record | None:
    checksum, _, text = line.removesuffix(b"\n").partition(b" ")
    if not line.endswith(b"\n") or checksum != b"%08x" % zlib.crc32(text):
        return None
    try:
        arm, explicand, scores = json.loads(text)
    except (ValueError, RecursionError):
        return None
    fits = isinstance(arm, str) and isinstance(explicand, str) and isinstance(scores, dict)
    fits = fits and all(isinstance(score, float) and math.isfinite(score) for score in scores.values())
    return Record(arm, explicand, scores) if fits else None
