"""Damages a good file again and again, and counts what comes of it."""

import collections
import contextlib
import resource
import signal
import tempfile
import time
from pathlib import Path

from tests.fuzzing.kinds import KINDS
from tests.fuzzing.mutate import mutated

SAME, ERROR, FEWER, OTHER = "same", "error", "fewer", "other"
MEMORY = 2**30
"""How much more address space than at the beginning reading may take, bytes."""
SECONDS = 20


class Slow(BaseException):
    """A file took too long; no reader may catch it."""


def _slow(*_):
    raise Slow(f"reading takes more than {SECONDS} seconds")


@contextlib.contextmanager
def bounded():
    """Within it memory ends after a gigabyte more, and `Slow` is raised where one file takes longer than allowed."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    handler = signal.signal(signal.SIGALRM, _slow)
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, before[1]))
    try:
        yield
    finally:
        signal.alarm(0)
        resource.setrlimit(resource.RLIMIT_AS, before)
        signal.signal(signal.SIGALRM, handler)


def fuzz(name, mutations, seed=0):
    """Damages a kind of file so many times.

    Returns:
      Counter of what came of it, and the most seconds that one file took.

    Raises:
      AssertionError: something came of it that may not; the message names kind and seed.
    """
    kind, counts, slowest = KINDS[name], collections.Counter(), 0.0
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder, "made")
        home.mkdir()
        path = kind.make(home)
        good = path.read_bytes()
        wanted = repr(kind.read(path))
        path.write_bytes(good)
        beside = {file for file in Path(folder).rglob("*") if file.is_file()}
        with bounded():
            for number in range(mutations):
                path.write_bytes(mutated(good, [seed, number]))
                began = time.perf_counter()
                try:
                    counts[_outcome(kind, path, wanted)] += 1
                except (Exception, Slow) as error:
                    raise AssertionError(f"{name}, seed [{seed}, {number}]: {type(error).__name__}: {error}") from error
                slowest = max(slowest, time.perf_counter() - began)
        left = {file for file in Path(folder).rglob("*") if file.is_file()}
        assert left <= beside, f"{name} leaves {left - beside} behind"
    return counts, slowest


def _outcome(kind, path, wanted):
    signal.alarm(SECONDS)
    try:
        found = kind.read(path)
    except kind.errors as error:
        if not str(error):
            raise AssertionError("an error without a message") from error
        return ERROR
    finally:
        signal.alarm(0)
    if repr(found) == wanted:
        return SAME
    if kind.fewer and isinstance(found, list) and all(repr(part) in wanted for part in found):
        return FEWER
    assert kind.unchecked, f"{found} in the place of {wanted}"
    return OTHER
