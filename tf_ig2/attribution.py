"""Attribution: an explanation, with what one needs to judge it."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from tf_ig2 import attribution_file, describe, files, neighbours
from tf_ig2.at_input import at_input
from tf_ig2.paths.base import Stop

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, repr=False)
class Attribution:
    """Explanations of N explicands with R references (or baselines) each.

    Indexing takes explicands: `explanation[3]` is the explanation of one, without the leading axis N,
    `explanation[2:5]` of three.

    Attributes:
      values: structure of float arrays `[N, ...]`, the attributions, averaged over references (Eq. 19), or their sum if
        they are `summed`. Units of the explained output, unless the method says otherwise.
      explicand: structure of arrays `[N, ...]`, what was explained: the input, or the values at the `input_layer`.
      outputs: float array `[N, R, K + 1]`, the explained output along each path, from explicand to its end.
      distances: float array `[N, R, K + 1]`, the representation's distance to the reference along each path; zero for
        paths that know no reference.
      target: int array `[N]`, the explained output's index; None when a callable picked it.
      counterfactuals: structure of arrays `[N, R, ...]`, the paths' ends (GradCF; the baselines of other methods), or
        None when not kept.
      path: structure of arrays `[N, R, K', ...]`, points of the paths from explicand to end, or None when not kept.
      steps_taken: int array `[N, R]`, the number of steps of each path; None where it is not known.
      stop: int array `[N, R]`, why each path ended, see `stop_reason`; None where it is not known.
      gradients: int array `[N, R]`, how many gradients a rule with a `completeness_tolerance` took; zero for others.
      settings: how it was made: method, parameters, package version.
      inputs: structure of arrays `[N, ...]`, the model's inputs, when the attributions are at an `input_layer`; None
        when they are at the input itself.
      summed: whether values are the sum over references: the completeness gap then compares with the sum, too.

    Example:
      >>> import keras, tf_ig2
      >>> model = keras.Sequential([keras.Input([2]), keras.layers.Dense(4, "tanh"), keras.layers.Dense(3)])
      >>> explanation = tf_ig2.IG2Explainer(model).explain(np.ones([5, 2]), np.zeros([3, 2]))
      >>> explanation.values.shape, explanation.counterfactuals.shape, explanation[0].values.shape
      ((5, 2), (5, 3, 2), (2,))
    """

    values: Any
    explicand: Any
    outputs: np.ndarray
    distances: np.ndarray
    target: Any = None
    counterfactuals: Any = None
    path: Any = None
    steps_taken: Any = None
    stop: Any = None
    gradients: Any = None
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)
    inputs: Any = None
    summed: bool = False

    @property
    def output(self) -> np.ndarray:
        """`[N]`, the explained output at the explicand."""
        return self.outputs[..., 0, 0]

    @property
    def stop_reason(self) -> Any:
        """Array of words `[N, R]`, why each path ended: "steps", the limit of steps was reached; "arrived", it is where
        it wanted to go; "stalled", its distance no longer falls. None where it is not known.
        """
        if self.stop is None:
            return None
        words = {stop.value: stop.name.lower() for stop in Stop}
        return np.vectorize(lambda number: words.get(number, f"path's own reason {number}"), otypes=[str])(self.stop)

    @property
    def counterfactual_output(self) -> np.ndarray:
        """`[N, R]`, the explained output at the paths' ends."""
        return self.outputs[..., -1]

    @property
    def completeness_gap(self) -> Any:
        """`[N]`, Σφ − mean (or sum) over references of f(x) − f(x′): zero if the attributions add up (Definition 4).

        None where it means nothing: the method contrasts with nothing, or does not claim to add up.
        """
        if not self._adds_up:
            return None
        axes = self.output.ndim
        total = sum(
            np.sum(part, axis=tuple(range(axes, part.ndim)), dtype=np.float64) for part in tf.nest.flatten(self.values)
        )
        return total - self._difference

    @property
    def relative_completeness_gap(self) -> Any:
        """`[N]`, |completeness gap| / |what it compares with|; infinite where only the latter is 0; None likewise."""
        if not self._adds_up:
            return None
        gap, difference = np.abs(self.completeness_gap), np.abs(self._difference)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(gap == 0, 0.0, gap / difference)

    @property
    def _adds_up(self) -> bool:
        return self.settings.get("adds_up") is not False and bool(np.isfinite(self._difference).any())

    @property
    def _difference(self) -> np.ndarray:
        differences = self.output.astype(np.float64)[..., None] - self.counterfactual_output
        return differences.sum(axis=-1) if self.summed else differences.mean(axis=-1)

    @property
    def gradcfe(self) -> Any:
        """Structure of `[N, ...]`: explicand minus GradCF, averaged over references (GradCFE, Eq. 6).

        Raises:
          ValueError: the counterfactuals were not kept.
        """
        if self.counterfactuals is None:
            raise ValueError("The counterfactuals were not kept: explain with keep=Keep(counterfactuals=True).")
        axis = self.output.ndim
        return tf.nest.map_structure(
            lambda x, cf: (np.expand_dims(x, axis) - cf).mean(axis=axis), self.explicand, self.counterfactuals
        )

    def at_input(self, method: str = "bicubic", *, of: Any = None, data_format: str | None = None) -> Attribution:
        """An explanation of an inner layer as maps of the input.

        The values are summed over channels with their signs, and spread over the input's positions: `[N, h, w, C]`
        become `[N, H, W]`, a signal's or a text's `[N, t, C]` become `[N, T]`. They are interpolated as by
        `tf.image.resize`, with half-pixel centres, but so that every value's shares add up to that value: a map sums
        to what the attributions sum to, and Completeness survives. Several input layers add up to one map.

        Args:
          method: `"bicubic"` or `"bilinear"`.
          of: which input to map to, its key or index, where the model has several.
          data_format: `"channels_last"` or `"channels_first"`, of the layer and of the input; None: Keras's own.

        Returns:
          The same explanation with the model's input for explicand, without counterfactuals and path, which lie
          elsewhere; itself, if it is one of the input already.

        Raises:
          ValueError: the layer has no positions (a vector), or other ones than the input; an argument is unknown.

        Example:
          >>> import keras, tf_ig2
          >>> model = keras.Sequential([keras.Input([8, 8, 3]), keras.layers.Conv2D(4, 3, strides=2, name="maps")])
          >>> model.add(keras.layers.Flatten()); model.add(keras.layers.Dense(2))
          >>> explainer = tf_ig2.IntegratedGradientsExplainer(model, input_layer="maps")
          >>> explainer.explain(np.ones([5, 8, 8, 3])).at_input().values.shape
          (5, 8, 8)
        """
        if self.output.ndim > 1:
            return self.flat().at_input(method, of=of, data_format=data_format).grouped(self.output.shape[1])
        brought = at_input(self.values, self.inputs, self.output.ndim, method, of=of, data_format=data_format)
        if brought is None:
            return self
        maps, inputs = brought
        elsewhere = {"counterfactuals": None, "path": None, "inputs": None}
        settings = {**self.settings, "at_input": method}
        kept = {field.name: getattr(self, field.name) for field in dataclasses.fields(Attribution)}
        return Attribution(**{**kept, **elsewhere, "values": maps, "explicand": inputs, "settings": settings})

    def __len__(self) -> int:
        if self.output.ndim == 0:
            raise TypeError("This is the explanation of one explicand; it has no length.")
        return len(self.output)

    def __getitem__(self, index: Any) -> Attribution:
        if self.output.ndim == 0:
            raise TypeError("This is already the explanation of one explicand.")
        return self._each(lambda x: x[index])

    def grouped(self, size: int) -> Attribution:
        """An explanation of N·T rows, T targets of each explicand one behind the other, as one `[N, T]`.

        Args:
          size: T.

        Returns:
          The same with two leading axes: `explanation[n]` is that of an explicand, `explanation[:, t]` of a target.
        """
        return self._each(lambda x: x.reshape(-1, size, *x.shape[1:]))

    def flat(self) -> Attribution:
        """An explanation with whatever leading axes as rows: `[N, T]` as N·T, one explicand as one row."""
        axes = self.output.ndim
        return self._each(lambda x: np.reshape(x, (-1, *np.shape(x)[axes:])))

    def _each(self, change: Callable[[Any], Any]) -> Attribution:
        parts = {
            field.name: tf.nest.map_structure(lambda x: None if x is None else change(x), getattr(self, field.name))
            for field in dataclasses.fields(self)
            if field.name not in ("settings", "summed")
        }
        return type(self)(**parts, settings=self.settings, summed=self.summed)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """`np.asarray(explanation)`: the values.

        Raises:
          TypeError: of several inputs; the parts of `values` are arrays.
          ValueError: `copy=False`, and another dtype.
        """
        neighbours.one_array(self.values)
        if copy is False and dtype is not None and np.dtype(dtype) != self.values.dtype:
            raise ValueError(f"`values` are {self.values.dtype}, and become {np.dtype(dtype)} only by a copy.")
        array = self.values if dtype is None else self.values.astype(dtype, copy=False)
        return array.copy() if copy else array

    def to_shap(self, feature_names: Sequence[str] | None = None) -> Any:
        """The same as a `shap.Explanation`, for `shap.plots`. Needs the extra `shap`.

        Args:
          feature_names: F names; None: shap's own.

        Returns:
          `values` and `data` `[N, F]` (or `[F]` of one explicand), and `base_values`, what the values are added to:
          the output at the paths' ends, mean over references; None where a method contrasts with nothing.

        Raises:
          MissingExtraError: `shap` is not installed.
          TypeError: of several inputs.
          ValueError: there are not as many names as features.
        """
        neighbours.one_array(self.values)
        base = None if not np.isfinite(self._difference).all() else self.output - self._difference
        return neighbours.to_shap(self.values, self.explicand, base, feature_names, self.output.ndim)

    def channels_first(self, of: str = "values") -> np.ndarray:
        """The values as Quantus and PyTorch have them, channels before positions, always with the axis N.

        Args:
          of: "values", or "explicand" for what was explained, in the same order.

        Returns:
          `[N, C, H, W]` of images, `[N, 1, H, W]` of maps without channels, `[N, C, T]` of signals, `[N, F]` of
          vectors. (Of grey images without a channel axis, `[N, H, W]`, take `values[:, None]`.)

        Raises:
          TypeError: of several inputs.
          ValueError: `of` is another word; the arrays have more axes.

        Example:
          >>> import keras, tf_ig2
          >>> model = keras.Sequential([keras.Input([8, 6, 3]), keras.layers.Flatten(), keras.layers.Dense(2)])
          >>> tf_ig2.GradientExplainer(model).explain(np.ones([5, 8, 6, 3])).channels_first().shape
          (5, 3, 8, 6)

        Reference: Hedström et al., Quantus, JMLR 2023: `x_batch` and `a_batch` of its metrics.
        """
        if of not in ("values", "explicand"):
            raise ValueError(f'`of` must be "values" or "explicand", not {of!r}.')
        rows = self.flat()
        return neighbours.channels_first(getattr(rows, of), np.ndim(neighbours.one_array(rows.explicand)))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Saves to an `.npz` file without pickle: the file is there whole, or not at all.

        Args:
          path: where to; an existing file is replaced.

        Raises:
          OSError: the file cannot be written.
        """
        names = [field.name for field in dataclasses.fields(self) if field.name != "settings"]
        parts = {name: getattr(self, name) for name in names}
        attribution_file.write(path, attribution_file.Saved(type(self).__name__, parts, self.settings))

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, max_bytes: int | None = None) -> Attribution:
        """Loads what `save` wrote.

        Args:
          path: the file; it may come from anywhere.
          max_bytes: the most that it may take in memory; None: a hundred times the size of the file, and 256 MiB at
            least.

        Raises:
          FileNotFoundError: there is no such file.
          ValueError: the file is not an explanation, is corrupt, takes more than `max_bytes`, or its parts do not fit
            each other.
        """
        try:
            saved = attribution_file.read(path, max_bytes)
            kinds = {kind.__name__: kind for kind in (cls, *cls.__subclasses__())}
            if saved.kind not in kinds:
                raise ValueError(f"it holds a {saved.kind}, and known are {sorted(kinds)}")
            kind = kinds[saved.kind]
            unknown = set(saved.parts) - {field.name for field in dataclasses.fields(kind) if field.name != "settings"}
            if unknown:
                raise ValueError(f"unknown parts {sorted(unknown)}")
            summed = {"summed": bool(saved.parts["summed"])} if saved.parts.get("summed") is not None else {}
            return kind(**{**saved.parts, **summed}, settings=saved.settings)
        except FileNotFoundError:
            raise
        except Exception as error:
            raise ValueError(f"{os.fspath(path)!r} is not a saved Attribution, or is corrupt: {error}") from error

    def plot(self, **options: Any) -> Figure:
        """Draws the explanation of one explicand: explicand, GradCF, GradCFE, attributions, curves along the path.

        A notebook shows it at once, and once, wherever in a cell it stands; in a script with windows, `plt.show()`.

        Args:
          **options: `ax`, `title`, `overlay`, `feature_names`, `tokens`, `class_names` and more, see
            `tf_ig2.plots.explanation`.

        Returns:
          The matplotlib figure.

        Raises:
          TypeError, ValueError: this is of several explicands (plot `explanation[0]`), or an option does not fit it.
        """
        from tf_ig2.plots import explanation_figure, notebook

        return notebook.show(explanation_figure.explanation(self, **options))

    def report(self, path: str | os.PathLike[str], **options: Any) -> None:
        """Writes the explanation of one explicand as one page of HTML, which holds all that it shows.

        Pictures by the kind of data, target, output, completeness gap, settings and versions. The page asks for nothing
        beyond itself and runs no script; names are shown as text, whatever they hold.

        Args:
          path: where to; the file is there whole, or not at all, and an existing one is replaced.
          **options: `class_names`, `feature_names`, `tokens`, `kind`, `title`, see `tf_ig2.plots.report`.

        Raises:
          TypeError, ValueError: this is of several explicands, or an option does not fit it; nothing is written.
          OSError: the file cannot be written.
        """
        from tf_ig2.plots.report import report

        page = report(self, **options).encode()
        with files.whole(path) as file:
            file.write(page)

    def animate(self, path: str | os.PathLike[str] | None = None, *, reference: int = 0, **options: Any) -> Any:
        """The path of one explicand, an image, as a moving picture; explain with `keep=Keep(path=True)`.

        Args:
          path: where to write it, a GIF; None: nowhere.
          reference: which of the R paths.
          **options: `frames`, `milliseconds`, `pixels`, `value_range`, see `tf_ig2.plots.animation`.

        Returns:
          A `tf_ig2.plots.Animation`, which a notebook shows.

        Raises:
          TypeError, ValueError: this is of several explicands or of something else than an image, the path was not
            kept, or an option is out of range.
          IndexError: there is no such path.
          OSError: the file cannot be written.
        """
        if self.output.ndim:
            raise ValueError("An animation is of one explicand: take that of explanation[0], not of the whole batch.")
        if self.path is None:
            raise ValueError("The path was not kept: explain with keep=Keep(path=True).")
        neighbours.one_array(self.explicand)
        from tf_ig2.plots import explanation_figure
        from tf_ig2.plots.animation import animation

        made = animation(*explanation_figure.walked(self, reference), **options)
        if path is not None:
            made.save(path)
        return made

    def __repr__(self) -> str:
        return describe.explanation_text(type(self).__name__, self)

    def _repr_html_(self) -> str:
        from tf_ig2.plots.thumbnail import thumbnail

        def picture(kind: str, values: Any, large: bool) -> str | None:
            return thumbnail(kind, values, 2.2 if large else 0.9)

        return describe.explanation_html(type(self).__name__, self, picture)
