"""One explanation as one page of HTML that holds all it shows: for a colleague, an archive, a ticket."""

from __future__ import annotations

import base64
import contextlib
import html
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from tf_ig2 import describe
from tf_ig2.plots import explanation_figure as parts
from tf_ig2.plots import images, notebook, panels, signals, tables, words

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KINDS = ("image", "words", "table", "signal", "numbers")
GAP_WORTH_SAYING = 0.05
"""Fraction of what is explained from which on the page says what to do about a completeness gap."""

_STYLE = """
:root{color-scheme:light}*{box-sizing:border-box}
body{margin:0;background:#f4f5f7;color:#1c2430;font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:60rem;margin:0 auto;padding:1.5rem 1rem 3rem}
h1{font-size:1.6rem;line-height:1.25;margin:.2rem 0;overflow-wrap:anywhere}h2{font-size:1.1rem;margin:2rem 0 .6rem}
.by{color:#5b6675;margin:0 0 1.2rem}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(10.5rem,1fr));gap:.7rem;margin:0}
.facts div,figure,.words,table{background:#fff;border:1px solid #dde1e7;border-radius:.5rem}
.facts div{padding:.55rem .8rem;min-width:0}dt{color:#5b6675;font-size:.85rem}
dd{margin:0;font-size:1.1rem;overflow-wrap:anywhere}dd small{display:block;color:#5b6675;font-size:.8rem}
.grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(10.5rem,1fr));gap:.8rem}
figure{margin:0 0 .8rem;padding:.7rem;text-align:center;overflow-x:auto}.grid figure{margin:0}
figure img{max-width:100%;height:auto}.grid img{width:100%;max-width:20rem}
figcaption{color:#5b6675;font-size:.9rem;margin-top:.3rem}
.words{padding:.4rem 1rem;margin-bottom:.8rem}
table{border-collapse:separate;border-spacing:0;width:100%;font-size:.92rem}
td{padding:.3rem .8rem;border-top:1px solid #eceff3;overflow-wrap:anywhere;vertical-align:top}
tr:first-child td{border-top:0}td:first-child{color:#5b6675;width:13rem;white-space:nowrap}
.note{border-left:4px solid #d9a400;background:#fff8e1;padding:.6rem .9rem;margin:1rem 0;border-radius:.3rem}
@media(max-width:34rem){td:first-child{width:auto;white-space:normal}}
"""


def report(
    attribution: parts.Explained,
    *,
    class_names: Sequence[str] | None = None,
    feature_names: Sequence[str] | None = None,
    tokens: Sequence[str] | None = None,
    kind: str | Mapping[Any, str] | None = None,
    title: str | None = None,
    percentile: float = 99,
) -> str:
    """An explanation as HTML.

    The page asks for nothing beyond itself, and runs no script; all that is not its own is escaped.

    Args:
      attribution: of one explicand.
      class_names: names of the classes.
      feature_names: F names, of a table's features or a signal's channels.
      tokens: T words, of a text's positions.
      kind: "image", "words", "table", "signal" or "numbers"; of several inputs a dict of them by their names. None:
        words where there are `tokens`, otherwise what the shape looks like.
      title: of the page; None: what was explained.
      percentile: see `VisualizeImageDiverging`.

    Returns:
      The page.

    Raises:
      TypeError, ValueError: there are several explicands; a kind that is unknown or does not fit; names that are not
        one for each.

    Example:
      >>> import tf_ig2
      >>> model = keras.Sequential([keras.Input([4]), keras.layers.Dense(3)])
      >>> explanation = tf_ig2.IntegratedGradientsExplainer(model).explain(np.ones(4), target=2)
      >>> "<title>Why c?</title>" in report(explanation, class_names=["a", "b", "c"])
      True
    """
    if attribution.output.ndim:
        raise ValueError("A report is of one explicand: write that of explanation[0], not of the whole batch.")
    with contextlib.suppress(ValueError):  # a layer without positions is shown as it is
        attribution = attribution.at_input()
    heading = title if title is not None else _heading(attribution, class_names)
    values, explicand = attribution.values, attribution.explicand
    several = not isinstance(values, np.ndarray)
    names = [] if not several else list(values) if isinstance(values, Mapping) else range(len(values))
    sections = []
    with notebook.aside():
        if not several:
            found = _kind(kind if isinstance(kind, (str, type(None))) else None, values, tokens)
            shown = _Shown(attribution, values, explicand, feature_names, tokens, percentile, True)
            sections.append("".join(_SECTIONS[found](shown)))
        for name in names:
            own = kind.get(name) if isinstance(kind, Mapping) else kind
            shown = _Shown(attribution, values[name], explicand[name], feature_names, tokens, percentile, False)
            body = "".join(_SECTIONS[_kind(own, values[name], None)](shown))
            sections.append(f"<h2>{html.escape(name if isinstance(name, str) else f'input {name}')}</h2>{body}")
        sections.extend(_curves(attribution))
    return _page(heading, attribution, "".join(sections), class_names)


class _Shown:
    """What a section is of: one input's attributions."""

    def __init__(
        self,
        attribution: parts.Explained,
        values: np.ndarray,
        explicand: np.ndarray,
        names: Sequence[str] | None,
        tokens: Sequence[str] | None,
        percentile: float,
        whole: bool,
    ):
        self.attribution, self.values, self.explicand = attribution, np.asarray(values), np.asarray(explicand)
        self.names, self.tokens, self.percentile, self.whole = names, tokens, percentile, whole


def _image(shown: _Shown) -> Iterator[str]:
    attribution, values, explicand = shown.attribution, shown.values, shown.explicand
    drawn = [("the explicand", _panel(explicand))] if panels.is_image(explicand) else []
    drawn.append(("attributions: red speaks for it, blue against", images.diverging(values, shown.percentile)))
    if panels.is_image(explicand):
        drawn.append(("laid over the explicand", images.overlay(values, panels.grey(explicand), 0.7, shown.percentile)))
    labels = getattr(attribution, "regions", None) if shown.whole else None
    if labels is not None and np.shape(labels) == explicand.shape[:2]:
        drawn.append(("the most important regions", images.regions(values, labels, explicand)))
    counterfactuals = attribution.counterfactuals if shown.whole else None
    if counterfactuals is not None and panels.is_image(counterfactuals[0]):
        end = parts.end(attribution)
        limits = (float(explicand.min()), float(explicand.max()))
        drawn.append((f"{end}: where the first path ends", _panel(counterfactuals[0], limits)))
        difference = "GradCFE: explicand − GradCF, the mean" if end == "GradCF" else f"explicand − {end}, the mean"
        drawn.append((difference, images.diverging(attribution.gradcfe, shown.percentile)))
    yield "<h2>Pictures</h2><div class=grid>" + "".join(_figure(name, figure) for name, figure in drawn) + "</div>"
    if shown.whole and attribution.path is not None and panels.is_image(explicand):
        strip = images.film_strip(*parts.walked(attribution, 0))
        yield "<h2>The path</h2>" + _figure("the first path, with the explained output", strip)


def _words(shown: _Shown) -> Iterator[str]:
    tokens = shown.tokens if shown.tokens is not None else [str(place) for place in range(len(shown.values))]
    text = words.words(tokens, shown.values)
    yield f"<h2>Words</h2><div class=words>{text.html()}</div>"
    yield _figure("the strongest words", tables.bars(text.values, text.tokens, top=12))


def _table(shown: _Shown) -> Iterator[str]:
    attribution, features = shown.attribution, shown.explicand if shown.explicand.shape == shown.values.shape else None
    ends = attribution.counterfactual_output
    if shown.whole and attribution.completeness_gap is not None and not attribution.summed:
        figure = tables.waterfall(
            shown.values, float(ends.mean()), float(attribution.output), shown.names, features, top=12
        )
        caption = f"from the output at {parts.end(attribution)} to that of x"
        yield "<h2>From there to here</h2>" + _figure(caption, figure)
    else:
        figure = tables.bars(shown.values, shown.names, features, top=12)
        yield "<h2>Features</h2>" + _figure("red speaks for it, blue against", figure)


def _signal(shown: _Shown) -> Iterator[str]:
    figure = signals.signal(shown.values, shown.explicand, shown.names)
    yield "<h2>Signal</h2>" + _figure("red speaks for it, blue against", figure)


def _numbers(shown: _Shown) -> Iterator[str]:
    figure = notebook.new(7.0, 2.6)
    panels.heat_map(figure.subplots(), shown.values, "", shown.percentile)
    yield "<h2>Attributions</h2>" + _figure("one for each feature; red speaks for it, blue against", figure)


_SECTIONS = dict(zip(KINDS, (_image, _words, _table, _signal, _numbers), strict=True))


def _kind(wanted: str | None, values: Any, tokens: Any) -> str:
    if wanted is not None:
        if wanted not in KINDS:
            raise ValueError(f"Unknown kind: {wanted!r}. Choose one of {list(KINDS)}.")
        return wanted
    if tokens is not None:
        return "words"
    shape = np.shape(values)
    if len(shape) == 1:
        return "table"
    if len(shape) == 2 and shape[0] >= 8 * shape[1]:
        return "signal"
    return "image" if panels.is_image(values) else "numbers"


def _curves(attribution: parts.Explained) -> Iterator[str]:
    if attribution.outputs.shape[-1] > 2 and np.isfinite(attribution.outputs).all():
        figure = notebook.new(6.0, 2.6)
        parts.curves(figure.subplots(), attribution)
        yield "<h2>Along the path</h2>" + _figure("each path thin, their mean thick", figure)


def _heading(attribution: parts.Explained, class_names: Sequence[str] | None) -> str:
    said = _target(attribution, class_names)
    return "Why this output?" if said is None else f"Why {said}?"


def _target(attribution: parts.Explained, class_names: Sequence[str] | None) -> str | None:
    if attribution.target is None:
        return None
    return parts.class_name(int(attribution.target), class_names) or f"output {int(attribution.target)}"


def _page(heading: str, attribution: parts.Explained, body: str, class_names: Sequence[str] | None) -> str:
    settings = attribution.settings
    ends = attribution.counterfactual_output
    facts: dict[str, tuple[str, str]] = {
        "explained": (_target(attribution, class_names) or "what a function picks", ""),
        "its output": (f"{float(attribution.output):.4g}", ""),
    }
    if np.isfinite(ends).all() and (attribution.completeness_gap is not None or "end" in settings):
        spread = f"{ends.size} paths, {ends.min():.4g} … {ends.max():.4g}" if ends.size > 1 else ""
        facts[f"at {parts.end(attribution)}"] = (f"{float(ends.mean()):.4g}", spread)
    missed = describe.gap(attribution)
    facts["completeness gap"] = (missed, "") if missed else ("none", "the method does not claim to add up")
    cells = "".join(
        f"<div><dt>{html.escape(name)}</dt><dd>{html.escape(value)}<small>{html.escape(more)}</small></dd></div>"
        for name, (value, more) in facts.items()
    )
    advice = ""
    if missed and not float(attribution.relative_completeness_gap) <= GAP_WORTH_SAYING:
        advice = (
            "<p class=note>The attributions miss much of what they explain. Take more <code>steps</code>, or a rule "
            'that adds up: <code>rule="idgi"</code>, or <code>"segment"</code> with a '
            "<code>completeness_tolerance</code>.</p>"
        )
    said = {name: value for name, value in settings.items() if name not in ("method", "end", "adds_up", "tf_ig2")}
    rows = [[name, value if isinstance(value, str) else repr(value)] for name, value in said.items()]
    versions = {"tf_ig2": settings.get("tf_ig2", "not known"), "page written with": _versions()}
    rows += [[name, str(value)] for name, value in versions.items()]
    by = f"{parts.method(settings)}; values {describe.specs(attribution.values)}"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
        "style-src 'unsafe-inline'\">"
        f"<title>{html.escape(heading)}</title><style>{_STYLE}</style></head><body><main>"
        f"<h1>{html.escape(heading)}</h1><p class=by>{html.escape(by)}</p><dl class=facts>{cells}</dl>{advice}{body}"
        f"<h2>Settings</h2>{describe.table([], rows)}</main></body></html>\n"
    )


def _versions() -> str:
    return f"Keras {keras.__version__}, TensorFlow {tf.__version__}, NumPy {np.__version__}"


def _panel(pixels: np.ndarray, limits: tuple[float, float] | None = None) -> Figure:
    figure = notebook.new(3.0, 3.0)
    panels.image(figure.subplots(), pixels, "", limits)
    return figure


def _figure(caption: str, figure: Figure) -> str:
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=110)
    data = base64.b64encode(content.getvalue()).decode()
    text = html.escape(caption)
    return f'<figure><img alt="{text}" src="data:image/png;base64,{data}"><figcaption>{text}</figcaption></figure>'
