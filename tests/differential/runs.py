"""One trial after another: what was checked, what did not apply, and what failed."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tests.differential.description import Description
from tests.differential.known import known
from tests.differential.methods import BY_NAME
from tests.differential.models import build
from tests.differential.oracles import ALWAYS, DEAR, DoesNotApply, Trial

Oracle = Callable[[Trial], None]


@dataclass(frozen=True)
class Failure:
    """An oracle that an explanation did not stand up to."""

    description: Description
    method: str
    oracle: str
    message: str

    def __str__(self) -> str:
        return f"{self.oracle}: {self.method} on {self.description}\n{self.message}"


@dataclass
class Tally:
    """Counts of trials.

    Attributes:
      models: by what they are made of.
      methods: trials by explainer.
      checked, passed_over: by oracle.
      known: failures whose reason is known and that are open, by it.
      failures: all others.
    """

    models: Counter[str] = field(default_factory=Counter)
    methods: Counter[str] = field(default_factory=Counter)
    checked: Counter[str] = field(default_factory=Counter)
    passed_over: Counter[str] = field(default_factory=Counter)
    known: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)

    def check(self, description: Description, names: Iterable[str], dear: Iterable[Oracle] = DEAR) -> None:
        """Builds a model and tries some methods on it; nothing is raised but by the building."""
        oracles = (*ALWAYS, *dear)
        case = build(description)
        self._count(description)
        for name in names:
            method = BY_NAME[name]
            if not method.explains(description):
                continue
            try:
                trial = Trial(case, method)
            except Exception as error:
                self._failed(description, name, "explains", error)
                continue
            self.methods[name] += 1
            for oracle in oracles:
                self._ask(oracle, trial)

    def _ask(self, oracle: Oracle, trial: Trial) -> None:
        try:
            oracle(trial)
        except DoesNotApply:
            self.passed_over[oracle.__name__] += 1
        except Exception as error:
            self._failed(trial.case.description, trial.method.name, oracle.__name__, error)
        else:
            self.checked[oracle.__name__] += 1

    def _count(self, described: Description) -> None:
        self.models["all"] += 1
        kinds = {described.shape, described.policy, described.ending, described.packaging, *described.blocks}
        kinds |= {f"{described.inputs} input" if described.inputs == "one" else f"{described.inputs} of inputs"}
        kinds |= {f"{described.outputs} outputs", described.preprocessing or "no preprocessing"}
        self.models.update(kinds)

    def _failed(self, description: Description, method: str, oracle: str, error: Exception) -> None:
        reason = known(description, method, oracle, error)
        if reason is not None:
            self.known[reason] += 1
            return
        where = "".join(traceback.format_exception(error)[-3:])[-1500:]
        self.failures.append(Failure(description, method, oracle, where))
