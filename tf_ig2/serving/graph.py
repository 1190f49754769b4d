"""An explainer as a graph: the functions that an exported model is made of.

It is the same walk as in Python: (explicand, reference) rows, in passes of a fixed number of rows so that memory does
not grow with the request, averaged over references.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from tf_ig2.explained_output import ExplainedOutput, Target
from tf_ig2.explainers.path_explainer import Contrasts, PathExplainer
from tf_ig2.paths.base import Points, Rows
from tf_ig2.paths.integrate import Keep, Tableau
from tf_ig2.serving import requests

Tensors = dict[str, tf.Tensor]

MOST_REFERENCES = 256
"""How many references a request may bring; the nodes of Expected IG are drawn for so many."""


class ExplainerGraph:
    """The functions of an exported model, and the variables that they use.

    Args:
      explainer: the explainer.
      baked: structure of arrays, from the explainer's `_bake`; None to take references with each request only.
      target: a callable that picks the explained output, or None to explain a class index.
      batch_size: rows (explicand, reference) in one pass.
      max_steps: the most steps that a request may ask for; None: the explainer's own number of steps, always.
      counterfactuals: whether the answer holds the paths' ends.

    Attributes:
      model_variables: the model's `tf.Variable`s. Keras maps its own variables to duplicates when it is saved, and a
        session then misses the originals; these are what to track instead.
      contrast_variables: `tf.Variable`s that hold what was baked.
      references: what may come with a request to be contrasted with, name → `tf.TensorSpec([None, ...])`.
      inputs: the model's inputs, name → `tf.TensorSpec([None, ...])`.
    """

    def __init__(
        self,
        explainer: PathExplainer,
        baked: Any,
        target: Target | None = None,
        batch_size: int = 32,
        max_steps: int | None = None,
        counterfactuals: bool = True,
    ):
        view = explainer.view
        self._explainer, self._view = explainer, ExplainedOutput(view, target)
        self._most_references = max([MOST_REFERENCES, *map(len, tf.nest.flatten(baked) if baked is not None else [])])
        self.references = named("references", explainer._received_spec)
        self._batch_size, self._max_steps, self._counterfactuals = batch_size, max_steps, counterfactuals
        self._baked = tf.nest.map_structure(lambda part: tf.Variable(part, trainable=False), baked)
        self.model_variables = [v if isinstance(v, tf.Variable) else v.value for v in view.variables]
        self.contrast_variables = tf.nest.flatten(self._baked)
        spec = view.inputs_spec
        self.inputs: dict[str, tf.TensorSpec] = (
            {key: spec[key] for key in sorted(spec)} if isinstance(spec, dict) else named("x", spec)
        )

    def predict(self, **inputs: tf.Tensor) -> Tensors:
        """The model's own prediction."""
        view, values = self._view.view, self._structured([inputs[name] for name in self.inputs])
        outputs = view.forward(values)[1] if view.model is None else view.model(values, training=False)
        return dict(outputs) if isinstance(outputs, dict) else named("prediction", outputs)

    def explain(self, **request: tf.Tensor) -> Tensors:
        """Explains the explicands of a request against what was baked in."""
        return self._explain(request, tf.nest.map_structure(tf.convert_to_tensor, self._baked))

    def explain_against(self, **request: tf.Tensor) -> Tensors:
        """Explains the explicands of a request against references that came with it."""
        specs = self.references
        references = {name: requests.samples(name, request.pop(name), spec) for name, spec in specs.items()}
        references = requests.at_most(requests.same_count(references), MOST_REFERENCES)
        return self._explain(
            request,
            self._explainer._receive(
                tf.nest.pack_sequence_as(self._explainer._received_spec, list(references.values()))
            ),
        )

    def _structured(self, parts: list[tf.Tensor]) -> Points:
        return tf.nest.pack_sequence_as(self._view.view.inputs_spec, parts)

    def _explain(self, request: Tensors, baked: Any) -> Tensors:
        view, explainer = self._view.view, self._explainer
        bounds = None if view.attributes_inside else explainer._bounds
        parts = {name: requests.samples(name, request[name], spec, bounds) for name, spec in self.inputs.items()}
        inputs = self._structured(list(requests.same_count(parts).values()))
        explicand = view.points(inputs)
        count = tf.shape(tf.nest.flatten(inputs)[0])[0]
        inner = inputs if view.attributes_inside else ()
        target: Any = ()
        if self._view.target is None:
            target = requests.targets(request["target"], count, view.outputs(explicand, inner))
        steps = tf.constant(explainer._segments)
        if self._max_steps is not None:
            steps = requests.steps(request["steps"], self._max_steps)
        contrasts = explainer._contrasts_in_graph(explicand, baked)
        walked = self._walk_all(Rows(explicand, inner, target, ()), contrasts, count, steps)
        return self._answer(walked, target)

    def _walk_all(
        self, of: Rows, contrasts: Contrasts, count: tf.Tensor, steps: tf.Tensor
    ) -> tuple[Points, Any, tf.Tensor, tf.Tensor]:
        """All rows, some at a time: values `[N, ...]`, ends `[N, R, ...]`, outputs at both ends `[N, R]`."""
        explainer, references = self._explainer, contrasts.count
        total = count * references
        leaves = tf.nest.flatten(of.explicand)
        dtype = leaves[0].dtype
        tableau = explainer._tableau(np.arange(self._most_references), dtype)
        shapes = [leaf.shape[1:] for leaf in leaves]
        forward = explainer._path.starts_at_explicand
        kept = len(leaves) if self._counterfactuals else 0

        def array(shape: Any, dtype: tf.DType) -> tf.TensorArray:
            return tf.TensorArray(dtype, size=0, dynamic_size=True, infer_shape=False, element_shape=[None, *shape])

        def pass_(first: tf.Tensor, number: tf.Tensor, sums: Any, here: Any, there: Any, ends: Any) -> Any:
            row = tf.range(first, tf.minimum(first + self._batch_size, total))
            i, r = row // references, row % references
            rows = tf.nest.map_structure(lambda x: tf.gather(x, i), of)._replace(contrast=contrasts.rows(i, r))
            walked = explainer._walk(
                self._view,
                Keep(counterfactuals=False),
                False,
                rows,
                steps,
                _of_references(tableau, r),
                tf.constant(self._batch_size),
            )
            values = requests.finite_walk(walked.values, walked.finite, walked.steps_taken)
            sums = [
                tf.tensor_scatter_nd_add(sum_, i[:, None], part / tf.cast(references, part.dtype))
                for sum_, part in zip(sums, tf.nest.flatten(values), strict=True)
            ]
            at, away = (0, steps) if forward else (steps, 0)
            here = here.write(number, walked.outputs[at])
            there = there.write(number, walked.outputs[away])
            last = tf.nest.flatten(walked.end if forward else walked.start)[:kept]
            ends = [array_.write(number, part) for array_, part in zip(ends, last, strict=True)]
            return first + self._batch_size, number + 1, sums, here, there, ends

        _, _, sums, here, there, ends = tf.while_loop(
            lambda first, *_: first < total,
            pass_,
            (
                tf.constant(0),
                tf.constant(0),
                [tf.zeros_like(leaf) for leaf in leaves],
                array([], dtype),
                array([], dtype),
                [array(leaf.shape[1:], leaf.dtype) for leaf in leaves[:kept]],
            ),
            parallel_iterations=1,
        )

        def by_explicand(rows: tf.TensorArray, shape: Any = ()) -> tf.Tensor:
            joined = tf.reshape(rows.concat(), [count, references, *shape])
            return tf.ensure_shape(joined, [None, None, *shape])

        structure = of.explicand
        counterfactuals = (
            tf.nest.pack_sequence_as(structure, [by_explicand(*both) for both in zip(ends, shapes, strict=True)])
            if kept
            else None
        )
        return tf.nest.pack_sequence_as(structure, sums), counterfactuals, by_explicand(here), by_explicand(there)

    def _answer(self, walked: tuple[Points, Any, tf.Tensor, tf.Tensor], target: Any) -> Tensors:
        values, counterfactuals, here, there = walked
        total = tf.add_n(
            [
                tf.reduce_sum(tf.cast(tf.reshape(part, [tf.shape(part)[0], -1]), tf.float64), axis=-1)
                for part in tf.nest.flatten(values)
            ]
        )
        output = here[:, 0]
        difference = tf.cast(output, tf.float64) - tf.reduce_mean(tf.cast(there, tf.float64), axis=-1)
        answer = {
            **named("attributions", values),
            "output": output,
            "counterfactual_output": there,
            "completeness_gap": tf.cast(total - difference, output.dtype),
        }
        if counterfactuals is not None:
            answer |= named("counterfactuals", counterfactuals)
        if self._view.target is None:
            answer["target"] = target
        return answer


def _of_references(tableau: Tableau, r: tf.Tensor) -> Tableau:
    """The nodes of rows with these reference numbers, where every reference has nodes of its own."""
    if tableau.positions.shape.rank == 1:
        return tableau
    return tableau._replace(positions=tf.gather(tableau.positions, r, axis=1))


def named(name: str, structure: Any) -> dict[str, Any]:
    """Flat names for the parts of a structure: `name` for one, `name_key` for a dict, `name_0` … for a list.

    Example:
      >>> list(named("x", 1)), list(named("x", {"b": 1, "a": 2})), list(named("x", [1, 2]))
      (['x'], ['x_a', 'x_b'], ['x_0', 'x_1'])
    """
    parts = tf.nest.flatten(structure)
    if isinstance(structure, dict):
        keys = [str(key) for key in sorted(structure)]
    elif isinstance(structure, (list, tuple)):
        keys = [str(index) for index in range(len(structure))]
    else:
        return {name: parts[0]}
    return {f"{name}_{key}": part for key, part in zip(keys, parts, strict=True)}
