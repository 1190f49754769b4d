"""An explainer as a graph: the functions that an exported model is made of.

It is the same `Walk` as in Python, (explicand, reference) rows in passes of a fixed number of rows, so that memory does
not grow with the request.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from tf_ig2.explainers.path_explainer import PathExplainer
from tf_ig2.models.explained_output import ExplainedOutput, Target
from tf_ig2.paths.base import Points
from tf_ig2.paths.keep import Keep
from tf_ig2.paths.plan import Explained
from tf_ig2.serving import requests

Tensors = dict[str, tf.Tensor]

MOST_REFERENCES = 256
"""How many references a request may bring; the nodes of Expected IG are drawn for so many."""


class ExplainerGraph:
    """The functions of an exported model, and the variables that they use.

    Args:
      explainer: the explainer.
      baked: structure of arrays, from the contrast's `bake`; None to take references with each request only.
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
        self._view, self._walk = ExplainedOutput(view, target), explainer.walk
        baked = () if baked is None else baked
        self._most_references = max([MOST_REFERENCES, *map(len, tf.nest.flatten(baked))])
        self._received = explainer.walk.contrast.received_spec(view)
        self.references = {} if self._received is None else named("references", self._received)
        self._batch_size, self._max_steps, self._counterfactuals = batch_size, max_steps, counterfactuals
        self._baked = (
            () if baked is None else tf.nest.map_structure(lambda part: tf.Variable(part, trainable=False), baked)
        )
        self.model_variables = [v if isinstance(v, tf.Variable) else v.value for v in view.variables]
        self.contrast_variables = tf.nest.flatten(self._baked)
        spec = view.inputs_spec
        served = served_names(spec) if isinstance(spec, dict) else {}
        self.inputs: dict[str, tf.TensorSpec] = (
            {served[key]: spec[key] for key in sorted(spec)} if isinstance(spec, dict) else named("x", spec)
        )

    def predict(self, **inputs: tf.Tensor) -> Tensors:
        """The model's own prediction."""
        view, values = self._view.view, self._structured([inputs[name] for name in self.inputs])
        outputs = (
            view.forward(values, representation=False)[1] if view.model is None else view.model(values, training=False)
        )
        return dict(outputs) if isinstance(outputs, dict) else named("prediction", outputs)

    def explain(self, **request: tf.Tensor) -> Tensors:
        """Explains the explicands of a request against what was baked in."""
        return self._explain(request, tf.nest.map_structure(tf.convert_to_tensor, self._baked))

    def explain_against(self, **request: tf.Tensor) -> Tensors:
        """Explains the explicands of a request against references that came with it."""
        specs = self.references
        references = {name: requests.samples(name, request.pop(name), spec) for name, spec in specs.items()}
        references = requests.at_most(requests.same_count(references), MOST_REFERENCES)
        received = tf.nest.pack_sequence_as(self._received, list(references.values()))
        return self._explain(request, self._walk.contrast.receive(self._view.view, received))

    def _structured(self, parts: list[tf.Tensor]) -> Points:
        return tf.nest.pack_sequence_as(self._view.view.inputs_spec, parts)

    def _explain(self, request: Tensors, given: Any) -> Tensors:
        view, walk = self._view.view, self._walk
        bounds = None if view.attributes_inside else walk.contrast.bounds
        parts = {name: requests.samples(name, request[name], spec, bounds) for name, spec in self.inputs.items()}
        inputs = self._structured(list(requests.same_count(parts).values()))
        explicand, inside = view.enter(inputs)
        count = tf.shape(tf.nest.flatten(inputs)[0])[0]
        target: Any = ()
        if self._view.target is None:
            target = requests.targets(request["target"], count, view.outputs(explicand, inside=inside))
        steps = tf.constant(walk.segments)
        if self._max_steps is not None:
            steps = requests.steps(request["steps"], self._max_steps)
        explained = walk.explain(
            self._view,
            explicand,
            inside,
            target,
            given,
            own=False,
            steps=steps,
            tableau=walk.tableau(self._most_references, tf.nest.flatten(explicand)[0].dtype),
            batch_size=tf.constant(self._batch_size),
            keep=Keep(counterfactuals=self._counterfactuals),
        )
        return self._answer(explained, target)

    def _answer(self, explained: Explained, target: Any) -> Tensors:
        values = requests.finite_walk(explained.values, explained.stop, explained.steps_taken)
        total = tf.add_n(
            [
                tf.reduce_sum(tf.cast(tf.reshape(part, [tf.shape(part)[0], -1]), tf.float64), axis=-1)
                for part in tf.nest.flatten(values)
            ]
        )
        here, there = explained.outputs[:, :, 0], explained.outputs[:, :, -1]
        output = here[:, 0]
        differences = tf.cast(here, tf.float64) - tf.cast(there, tf.float64)
        difference = (tf.reduce_sum if self._walk.summed else tf.reduce_mean)(differences, axis=-1)
        answer = {
            **named("attributions", values),
            "output": output,
            "counterfactual_output": there,
            "completeness_gap": tf.cast(total - difference, output.dtype),
            "steps_taken": explained.steps_taken,
        }
        if self._counterfactuals:
            answer |= named("counterfactuals", explained.counterfactuals)
        if self._view.target is None:
            answer["target"] = target
        return answer


def served_names(keys: Iterable[Any]) -> dict[Any, str]:
    """What the inputs of a model are called in signatures, whose arguments are named as Python's are.

    Example:
      >>> served_names(["age", "a-b", "a/b", "class", "self"])
      {'age': 'age', 'a-b': 'x_a_b', 'a/b': 'x_a_b_2', 'class': 'x_class', 'self': 'x_self'}
    """
    keys = sorted(keys)
    plain = {key: str(key) for key in keys if str(key).isidentifier() and str(key).isascii()}
    names = {key: name for key, name in plain.items() if not keyword.iskeyword(name) and name != "self"}
    for key in keys:
        name = base = f"x_{re.sub('[^0-9a-zA-Z_]', '_', str(key))}"
        number = 1
        while key not in names and name in names.values():
            number += 1
            name = f"{base}_{number}"
        names.setdefault(key, name)
    return names


def named(name: str, structure: Any) -> dict[str, Any]:
    """Flat names for the parts of a structure: `name` for one, `name_key` for a dict, `name_0` … for a list.

    Example:
      >>> list(named("x", 1)), list(named("x", {"b": 1, "a": 2})), list(named("x", [1, 2]))
      (['x'], ['x_a', 'x_b'], ['x_0', 'x_1'])
    """
    parts = tf.nest.flatten(structure)
    if isinstance(structure, dict):
        served = served_names(structure)
        keys = [served[key] for key in sorted(structure)]
    elif isinstance(structure, (list, tuple)):
        keys = [str(index) for index in range(len(structure))]
    else:
        return {name: parts[0]}
    return {f"{name}_{key}": part for key, part in zip(keys, parts, strict=True)}
