"""What the explainers share whose paths run from a baseline to the explicand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from tf_ig2 import validation
from tf_ig2.attribution import Attribution
from tf_ig2.contrasts.baselines import Baseline
from tf_ig2.explainers.path_explainer import PathExplainer
from tf_ig2.models.explained_output import Target
from tf_ig2.paths.keep import Keep


def checked_range(value_range: Any) -> tuple[float, float] | None:
    """`"auto"` or a pair (low, high), as None or a pair."""
    auto = isinstance(value_range, str) and value_range == "auto"
    return None if auto else validation.value_range("value_range", value_range)


class BaselineExplainer(PathExplainer):
    """Integrates along paths from baselines to the explicand; see the subclasses."""

    _says: ClassVar[dict[str, Any]] = {"end": "baseline"}

    _pair_names: ClassVar[Mapping[str, str]] = {"x_baseline": "baselines", "x_steps": "steps"}

    def explain(
        self,
        x: Any,
        baselines: str | float | Baseline | Any = 0.0,
        target: int | Any | Target | None = None,
        *,
        batch_size: int = 32,
        keep: Keep | None = None,
        verbose: bool = False,
    ) -> Attribution:
        """Explains a batch of explicands.

        Args:
          x: one explicand `[...]` or a batch `[N, ...]`: array, tensor, or the structure of them that the model takes.
          baselines: where paths start.
            A number: that everywhere; 0 is the choice of the IG paper, and PAIR's.
            `"black"`, `"white"`, `"black_and_white"`, `"uniform"`, `"gaussian"`, `"maximal_distance"`, `"blurred"`: see
            `tf_ig2.contrasts.baselines`, whose objects can be passed too, to choose seeds and parameters.
            Arrays: samples of the training data `[R, ...]` shared by all explicands, `[N, R, ...]`, or one `[...]`; the
            `counterfactuals` of another explanation for example. With an `input_layer`: its values.
            A finite `tf.data.Dataset` of samples.
          target: as for `IG2Explainer.explain`: an index, one for each explicand, a callable, or None for the predicted
            class.
          batch_size: rows in a forward pass; a row is a point on a path from one baseline to one explicand.
          keep: what to keep beside the values; None: the baselines.
          verbose: show a progress bar.

        Returns:
          The explanation; without the leading axis N if `x` was one explicand. Its `counterfactuals` are the baselines.

        Raises:
          TypeError, ValueError: an argument has another structure, shape or type than the model takes, is empty, not
            finite, or out of range.
          NonFiniteGradientError: an output or gradient became NaN or infinite on the way.
        """
        return self._explain(x, baselines, target, batch_size, keep, verbose)
