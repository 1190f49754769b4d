"""A progress bar for a job that others do: it counts the reports that they have written."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator

import tensorflow as tf

from tf_ig2.progress_bar import tqdm


@contextlib.contextmanager
def watch(output: str, shards: int, seconds: float = 1.0) -> Iterator[None]:
    """Shows how many shards are finished, for as long as the context lasts.

    After a change of the input, reports of records that are no longer in it count too, until the job puts them aside.

    Args:
      output: the job's folder of results.
      shards: how many there are.
      seconds: between two looks.

    Example:
      >>> with watch("explained", shards=4):  # doctest: +SKIP
      ...     beam.run(job, shards)
    """
    folder, done = os.path.join(output, "reports"), threading.Event()

    def look() -> None:
        with contextlib.suppress(tf.errors.OpError):  # a folder that cannot be listed is no reason to stop
            bar.n = min(len(tf.io.gfile.listdir(folder)) if tf.io.gfile.isdir(folder) else 0, shards)
        bar.refresh()

    def look_again_and_again() -> None:
        while not done.wait(seconds):
            look()

    with tqdm(total=shards, unit="shard", disable=None) as bar:
        look()
        watcher = threading.Thread(target=look_again_and_again, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()
            look()
