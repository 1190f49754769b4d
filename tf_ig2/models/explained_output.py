"""The one number per row that is explained, and its gradients: a Keras model as a walk sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from tf_ig2.models.model_view import ModelView
from tf_ig2.models.traced_target import Target
from tf_ig2.paths.base import Path, Points, Rows, Seen

__all__ = ["ExplainedOutput", "Target"]


@dataclass(frozen=True)
class ExplainedOutput:
    """A ModelView together with what is explained of its output; see `tf_ig2.paths.base.Evaluator`.

    Attributes:
      view: the model.
      target: picks the explained output; None: the index in `Rows.target` does.
    """

    view: ModelView
    target: Target | None = None

    def evaluate(
        self,
        point: Points,
        rows: Rows,
        path: Path | None,
        *,
        output_gradient: bool,
        objective_gradient: bool,
    ) -> Seen:
        """One forward pass, and the gradients that are wanted."""
        with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
            if output_gradient or objective_gradient:
                tape.watch(tf.nest.flatten(point))
            wanted = path is not None and path.needs_representation
            representation, outputs = self.view.forward(point, rows.inside, representation=wanted)
            explained = self.select(outputs, rows.target)
            objective = tf.zeros_like(explained) if path is None else path.objective(representation, outputs, rows)
        dtype = tf.nest.flatten(point)[0].dtype

        def gradient(of: tf.Tensor, wanted: bool) -> Points:
            if not wanted:
                return ()
            gradients = tape.gradient(of, point, unconnected_gradients=tf.UnconnectedGradients.ZERO)
            return tf.nest.map_structure(tf.convert_to_tensor, gradients)  # some are IndexedSlices

        return Seen(
            output=tf.cast(explained, dtype),
            objective=tf.cast(objective, dtype),
            output_gradient=gradient(explained, output_gradient),
            objective_gradient=gradient(objective, objective_gradient),
            outputs=outputs,
        )

    def select(self, outputs: tf.Tensor, index: Any) -> tf.Tensor:
        """The explained output `[B]` of the model's output `[B, ...]`.

        Raises:
          ValueError: the target callable does not return one number per row.
        """
        if self.target is None:
            return tf.gather(outputs, index, batch_dims=1) if outputs.shape.rank > 1 else outputs
        explained = tf.convert_to_tensor(self.target(outputs))
        if explained.shape.rank != 1:
            raise ValueError(
                f"The `target` callable must map the output {outputs.shape} to one number per row, shape [B]; "
                f"it returned shape {explained.shape}."
            )
        return explained
