"""What the explainers share that contrast an explicand with nothing but itself."""

from __future__ import annotations

from typing import Any

from tf_ig2.attribution import Attribution
from tf_ig2.explainers import contrasted
from tf_ig2.explainers.path_explainer import PathExplainer
from tf_ig2.models.explained_output import Target
from tf_ig2.paths.keep import Keep


class ExplicandExplainer(PathExplainer):
    """Integrates along paths that the explicand determines alone; see the subclasses."""

    def explain(
        self,
        x: Any,
        references: Any = None,
        target: int | Any | Target | None = None,
        *,
        batch_size: int = 32,
        keep: Keep | None = None,
        verbose: bool = False,
    ) -> Attribution:
        """Explains a batch of explicands.

        Args:
          x: one explicand `[...]` or a batch `[N, ...]`: array, tensor, or the structure of them that the model takes.
          references: not used, as the method contrasts with nothing that users choose; they may be passed, so that a
            loop over explainers can call them alike. A target here is refused.
          target: an index, one for each explicand, a callable, or None for the predicted class.
          batch_size: points in a forward pass.
          keep: what to keep beside the values; None: what the class says.
          verbose: show a progress bar.

        Returns:
          The explanation; without the leading axis N if `x` was one explicand.

        Raises:
          TypeError, ValueError: an argument has another structure, shape or type than the model or the method takes, is
            empty, not finite, or out of range.
          NonFiniteGradientError: an output or gradient became NaN or infinite on the way.
        """
        contrasted.ignored(references)
        return self._explain(x, references, target, batch_size, keep, verbose)
