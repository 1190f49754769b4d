"""One SavedModel that predicts and explains, for TensorFlow Serving and for everything else that loads SavedModels."""

from __future__ import annotations

import inspect
import json
import os
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tf_ig2 import files, fingerprint, validation
from tf_ig2._version import __version__
from tf_ig2.explainers.path_explainer import PathExplainer
from tf_ig2.models.explained_output import ExplainedOutput, Target
from tf_ig2.models.traced_target import TracedTarget
from tf_ig2.serving import disclosure, requests
from tf_ig2.serving.graph import ExplainerGraph, named
from tf_ig2.serving.served import MANIFEST, SAVED_MODEL, with_checksum

_RESERVED = ("target", "steps")


def export(
    explainer: PathExplainer,
    directory: str | os.PathLike[str],
    references: Any = None,
    version: int = 1,
    *,
    target: Target | None = None,
    batch_size: int = 32,
    max_steps: int | None = None,
    counterfactuals: bool = True,
    references_inside: bool = False,
) -> str:
    """Exports a model together with its explainer.

    The SavedModel needs neither Keras nor tf_ig2 to run. Its signatures are

    * `serving_default`: the inputs → the model's own prediction;
    * `explain`: the inputs, `target` (int32, one class index or `[N]`; -1, the default, stands for the predicted class)
      and, with `max_steps`, `steps` (int32) → `attributions` `[N, ...]`, `counterfactuals` `[N, R, ...]` (GradCF),
      `output` `[N]`, `counterfactual_output` `[N, R]`, `completeness_gap` `[N]`, `steps_taken` `[N, R]`,
      `target` `[N]`;
    * `explain_against`: the same with `references` `[R, ...]` from the request, for explainers that take some.

    One input is named `x`, several by their keys or `x_0`, `x_1`, …; what exists once per input is then named like
    `attributions_0`. A key that cannot be the name of an argument, such as `a-b` or `class`, becomes `x_a_b` or
    `x_class`. A wrong request fails with an InvalidArgument error that says what is wrong.

    Of the references only what the explainer needs is saved: for IG² their representations, the model's outputs at them
    and their value ranges. Where a layer with weights lies between input and representation, or a mean over all
    positions, no reference itself is saved. Where none does (a `Flatten` alone, for example), the representation *is*
    the reference, and it is only saved if `references_inside` says so. IG, Guided IG and Expected IG walk from their
    baselines, so those have to be saved: send them with each request where they must not be. The manifest says which it
    is, as `references_inside`.

    Args:
      explainer: any explainer that walks a path.
      directory: where to; the model is put into the subdirectory named by `version`, as model servers want it. Any
        path that `tf.io.gfile` can write to.
      references: what the explainer contrasts with, as in its `explain`; one set for all explicands. None: not
        baked in, for explainers that do without, or to have `explain_against` only.
      version: the model's version, a positive integer.
      target: a callable from the model's output `[B, ...]` to `[B]` that picks the explained output; the signatures
        then have no `target`. None: a class index in the request does.
      batch_size: (explicand, reference) rows in one pass through the model; bounds the memory of a request.
      max_steps: lets each request choose its number of steps up to this; None: the explainer's, always.
      counterfactuals: whether to answer with GradCF, which is R times as large as the explicands.
      references_inside: whether the references may be in the export, where their representations determine them.

    Returns:
      The path of the SavedModel.

    Raises:
      FileExistsError: that version exists already.
      TypeError, ValueError: an argument is of the wrong kind, the explainer cannot be exported, or its model has inputs
        of free size or variables that it does not name; references would be inside, and nobody has allowed it.
      OSError: the directory cannot be written.

    Example:
      >>> import keras, tempfile, tf_ig2
      >>> model = keras.Sequential([keras.Input([4]), keras.layers.Dense(8, "tanh"), keras.layers.Dense(3, "softmax")])
      >>> path = export(tf_ig2.IG2Explainer(model), tempfile.mkdtemp(), np.zeros([2, 4]))
      >>> explain = tf.saved_model.load(path).signatures["explain"]
      >>> explain(x=tf.ones([5, 4]), target=tf.constant(-1))["attributions"].shape
      TensorShape([5, 4])
    """
    if not isinstance(explainer, PathExplainer):
        raise TypeError(f"`explainer` must be an explainer that walks a path, not {type(explainer).__name__}.")
    validation.positive("version", version, integer=True)
    validation.positive("batch_size", batch_size, integer=True)
    if max_steps is not None:
        validation.positive("max_steps", max_steps, integer=True)
        if explainer.walk.segments != explainer.steps:
            raise ValueError(
                f"`max_steps`: the steps of {type(explainer).__name__} are nodes of its rule, fixed when it is made."
            )
    if references is not None and explainer.walk.contrast.argument is None:
        raise TypeError(f"{type(explainer).__name__} contrasts with nothing: `references` must be None.")
    if target is not None and not callable(target):
        raise TypeError(f"`target` must be a callable or None, not {target!r}: class indices come with the requests.")
    _check_inputs(explainer)
    if target is None and explainer.view.output_spec.shape.rank > 2:
        raise ValueError(f"The model's output is {explainer.view.output_spec.shape}: pass `target`, a callable.")
    if target is not None:
        TracedTarget(target, explainer.view.output_spec)  # refused here, if at all
    path = os.path.join(os.fspath(directory), str(version))
    if tf.io.gfile.exists(os.path.join(path, SAVED_MODEL)):
        raise FileExistsError(f"{path!r} exists: export another `version`, or remove it first.")

    baked = _baked(explainer, references)
    inside = baked is not None and _gives_away(explainer, references, baked)
    if inside and explainer.walk.contrast.argument == "references" and not references_inside:
        raise ValueError(
            "The representation determines the input: no layer with weights lies between them, so the references would "
            "be in the export for everybody to read. Choose a later `layer`, export without references and send them "
            "with each request, or allow it with references_inside=True."
        )
    graph = ExplainerGraph(explainer, baked, target, batch_size, max_steps, counterfactuals)
    signatures = _signatures(graph, explainer, baked is not None, target is None, max_steps)
    manifest = _manifest(explainer, graph, baked, signatures, batch_size, max_steps, inside)
    _save(path, graph, signatures, manifest)
    return path


def _check_inputs(explainer: PathExplainer) -> None:
    spec = explainer.view.inputs_spec
    for part in tf.nest.flatten(spec):
        if None in part.shape[1:].as_list():
            raise ValueError(
                f"The model takes {part.shape}, and an exported explainer needs inputs of fixed size: build the model "
                "with a keras.Input of the size that you will serve."
            )
    if isinstance(spec, dict) and any(isinstance(part, (dict, list, tuple)) for part in spec.values()):
        raise ValueError("The model's inputs are structures in structures, which signatures have no names for.")
    taken = sorted(set(spec) & set(_RESERVED)) if isinstance(spec, dict) else []
    if taken:
        raise ValueError(f"The model has an input named {taken[0]!r}, which is also what `explain` calls an argument.")
    received = explainer.walk.contrast.received_spec(explainer.view)
    both = set() if received is None or not isinstance(spec, dict) else set(named("references", received)) & set(spec)
    if both:
        raise ValueError(f"The model has an input named {min(both)!r}, which is also what `explain_against` calls one.")


def _baked(explainer: PathExplainer, references: Any) -> Any:
    if references is None and _takes_references(explainer):
        return None
    return tf.nest.map_structure(np.asarray, explainer.walk.contrast.bake(explainer.view, references))


def _gives_away(explainer: PathExplainer, references: Any, baked: Any) -> bool:
    """Whether somebody who has what is baked has the references."""
    contrast, view = explainer.walk.contrast, explainer.view
    spec = contrast.received_spec(view)
    if spec is None or references is None:
        return False
    if disclosure.gives_away(lambda samples: contrast.receive(view, samples), spec):
        return True
    arrays = isinstance(references, (np.ndarray, list, tuple, dict, tf.Tensor))
    return arrays and disclosure.are_inside(validation.contrasts("references", references, spec, 0)[0], baked)


def _takes_references(explainer: PathExplainer) -> bool:
    """Whether the explainer can be given its contrast with a request."""
    return explainer.walk.contrast.received_spec(explainer.view) is not None


class _Signature(NamedTuple):
    """A signature: what it computes, and that with the arguments' names and defaults."""

    traced: Any
    function: Any


def _signatures(
    graph: ExplainerGraph, explainer: PathExplainer, baked: bool, index: bool, max_steps: int | None
) -> dict[str, _Signature]:
    inputs = dict(graph.inputs)
    request = dict(inputs)
    defaults: dict[str, tf.Tensor] = {}
    if index:
        request["target"] = tf.TensorSpec(None, tf.int32)
        defaults["target"] = tf.constant(requests.PREDICTED)
    if max_steps is not None:
        request["steps"] = tf.TensorSpec(None, tf.int32)
        defaults["steps"] = tf.constant(min(explainer.steps, max_steps))
    signatures = {"serving_default": _function(graph.predict, inputs, {})}
    if baked:
        signatures["explain"] = _function(graph.explain, request, defaults)
    if _takes_references(explainer):
        signatures["explain_against"] = _function(
            graph.explain_against, {**inputs, **graph.references, **request}, defaults
        )
    return signatures


def _function(function: Any, arguments: dict[str, tf.TensorSpec], defaults: dict[str, tf.Tensor]) -> _Signature:
    """The function with named arguments and defaults, which TensorFlow takes from a Python signature."""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    # Those with defaults come last, as everywhere in Python.
    names = [*(name for name in arguments if name not in defaults), *defaults]
    signature = inspect.Signature(
        [inspect.Parameter(name, kind, default=defaults.get(name, inspect.Parameter.empty)) for name in names]
    )
    specs = [tf.TensorSpec(arguments[name].shape, arguments[name].dtype, name=name) for name in names]
    # TensorFlow traces a signature again when it saves it: what it traces then is one call of what is traced here.
    traced = tf.function(lambda **request: function(**request), autograph=False).get_concrete_function(
        **{spec.name: spec for spec in specs}
    )

    def call(*args: tf.Tensor, **kwargs: tf.Tensor) -> Any:
        return traced(**signature.bind(*args, **kwargs).arguments)

    call.__signature__ = signature  # type: ignore[attr-defined]
    return _Signature(traced, tf.function(call, input_signature=specs, autograph=False))


def _manifest(
    explainer: PathExplainer,
    graph: ExplainerGraph,
    baked: Any,
    signatures: dict[str, _Signature],
    batch_size: int,
    max_steps: int | None,
    inside: bool,
) -> dict[str, Any]:
    """What is in the SavedModel; the same, hashes included, for the same explainer, model and references."""

    def specs(tensors: Any) -> dict[str, Any]:
        return {
            name: {"dtype": tensor.dtype.name, "shape": None if tensor.shape.rank is None else tensor.shape.as_list()}
            for name, tensor in sorted(tensors.items())
        }

    traced = {name: signature.traced for name, signature in signatures.items()}
    content = {
        "format": 1,
        "tf_ig2": __version__,
        "tensorflow": tf.__version__,
        "explainer": explainer.settings,
        "batch_size": batch_size,
        "max_steps": max_steps,
        "references": _count(explainer, baked),
        "references_inside": inside,
        "classes": explainer.view.output_spec.shape.as_list()[1:],
        "inputs": specs(graph.inputs),
        "signatures": {
            name: {
                "inputs": specs(function.structured_input_signature[1]),
                "outputs": specs(function.structured_outputs),
            }
            for name, function in traced.items()
        },
        "graph_sha256": fingerprint.of_functions(traced),
        "model_sha256": fingerprint.of_arrays(variable.numpy() for variable in _used(graph, signatures)),
        "references_sha256": fingerprint.of_arrays(variable.numpy() for variable in graph.contrast_variables),
    }
    return with_checksum(content)


def _used(graph: ExplainerGraph, signatures: dict[str, _Signature]) -> list[tf.Variable]:
    """The model's variables without those of training alone: the seeds of dropout are others in every process."""
    captured = {id(tensor) for signature in signatures.values() for tensor in signature.traced.captured_inputs}
    return [variable for variable in graph.model_variables if id(variable.handle) in captured]


def _count(explainer: PathExplainer, baked: Any) -> int | None:
    if baked is None:
        return None
    spec = explainer.view.points_spec
    one = tf.nest.map_structure(lambda part: tf.zeros([1, *part.shape[1:]], part.dtype), spec)
    given, model = tf.nest.map_structure(tf.constant, baked), ExplainedOutput(explainer.view)
    return int(explainer.walk.contrast.prepare(model, one, (), (), given, own=False).count)


def _json(content: Any) -> bytes:
    return (json.dumps(content, indent=2, sort_keys=True) + "\n").encode()


def _save(path: str, graph: ExplainerGraph, signatures: dict[str, _Signature], manifest: dict[str, Any]) -> None:
    """Writes the SavedModel elsewhere, and puts it in its place when it is whole."""
    module = tf.Module()
    module.model_variables = _used(graph, signatures)
    module.contrast_variables = graph.contrast_variables
    functions = {name: signature.function for name, signature in signatures.items()}
    with tempfile.TemporaryDirectory() as folder:
        try:
            tf.saved_model.save(module, folder, signatures=functions)
        except AssertionError as error:  # "Tried to export a function which references an 'untracked' resource"
            raise ValueError(
                "The model uses variables or tables that it does not name: pass all of them to "
                "ModelView.from_callables(…, variables=…)."
            ) from error
        except tf.errors.OpError as error:
            raise OSError(
                f"The model cannot be saved in {folder!r}, on its way to {path!r}: {error.message}"
            ) from error
        extra = Path(folder) / MANIFEST
        extra.parent.mkdir(exist_ok=True)
        extra.write_bytes(_json(manifest))
        files.publish_folder(folder, path, last=SAVED_MODEL)
