"""What the explainers share whose paths run from a baseline to the explicand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from tf_ig2 import validation
from tf_ig2.attribution import Attribution
from tf_ig2.contrasts.baselines import Baseline
from tf_ig2.explainers import contrasted
from tf_ig2.explainers.background import background
from tf_ig2.explainers.path_explainer import PathExplainer
from tf_ig2.explainers.request import door
from tf_ig2.models.explained_output import Target
from tf_ig2.paths.keep import Keep


def checked_range(value_range: Any) -> tuple[float, float] | None:
    """`"auto"` or a pair (low, high), as None or a pair."""
    auto = isinstance(value_range, str) and value_range == "auto"
    return None if auto else validation.value_range("value_range", value_range)


class BaselineExplainer(PathExplainer):
    """Integrates along paths from baselines to the explicand; see the subclasses."""

    references_are = "taken"
    _says: ClassVar[dict[str, Any]] = {"end": "baseline"}

    _pair_names: ClassVar[Mapping[str, str]] = {"x_baseline": "baselines", "x_steps": "steps"}

    def explain(
        self,
        x: Any,
        references: Any = None,
        target: int | Any | Target | None = None,
        *,
        baselines: str | float | Baseline | Any = None,
        batch_size: int = 32,
        keep: Keep | None = None,
        verbose: bool = False,
    ) -> Attribution:
        """Explains a batch of explicands.

        Args:
          x: one explicand `[...]` or a batch `[N, ...]`: array, tensor, or the structure of them that the model takes.
          references: samples that paths start from, as the model takes them: arrays `[R, ...]` shared by all
            explicands, `[N, R, ...]`, or one `[...]`, or a finite `tf.data.Dataset`. With an `input_layer` paths start
            from its values at them. Anything that `baselines` takes may stand here, too.
          target: as for `IG2Explainer.explain`: an index, one for each explicand, a callable, or None for the predicted
            class.
          baselines: where paths start, instead of references; None: 0.
            A number: that everywhere; 0 is the choice of the IG paper, and PAIR's.
            `"black"`, `"white"`, `"black_and_white"`, `"uniform"`, `"gaussian"`, `"maximal_distance"`, `"blurred"`: see
            `tf_ig2.contrasts.baselines`, whose objects can be passed too, to choose seeds and parameters.
            Arrays as for references; the `counterfactuals` of another explanation for example. With an `input_layer`:
            its values.
          batch_size: rows in a forward pass; a row is a point on a path from one baseline to one explicand.
          keep: what to keep beside the values; None: the baselines.
          verbose: show a progress bar.

        Returns:
          The explanation; without the leading axis N if `x` was one explicand. Its `counterfactuals` are the baselines.

        Raises:
          TypeError, ValueError: both `references` and `baselines` are given; an argument has another structure, shape
            or type than the model takes, is empty, not finite, or out of range.
          NonFiniteGradientError: an output or gradient became NaN or infinite on the way.
        """
        if contrasted.one("baselines", references, baselines) is None and self.walk.contrast.required:
            raise contrasted.missing(type(self).__name__)
        if references is not None:
            checked = contrasted.needed if self.walk.contrast.required else contrasted.baseline
            baselines = self._at_points(checked(references, self.view.inputs_spec, type(self).__name__), x, batch_size)
        return self._explain(x, baselines, target, batch_size, keep, verbose)

    def _at_points(self, references: Any, x: Any, batch_size: int) -> Any:
        """References of an `input_layer`'s model are brought there, unless they are its values already."""
        named = isinstance(references, (str, int, float, np.number)) or callable(references)
        if not self.view.attributes_inside or named:
            return references
        explicands = len(tf.nest.flatten(door(self.view, x)[0])[0])
        try:
            return background(self.view, references, explicands, validation.batch_size(batch_size))[0]
        except (TypeError, ValueError):
            if isinstance(references, tf.data.Dataset):
                raise
            validation.contrasts("references", references, self.view.points_spec, explicands)
            return references
