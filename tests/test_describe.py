"""What explanations, explainers and views say of themselves: short, whole, and escaped."""

import keras
import numpy as np
import pytest

import tf_ig2
from tf_ig2 import GradCAMExplainer, GradientExplainer, IG2Explainer, IntegratedGradientsExplainer, ModelView, describe


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).uniform(0, 255, [12, 8, 8, 3])


@pytest.fixture(scope="module")
def explanation(image_net, images):
    return IG2Explainer(image_net, steps=2).explain(images, images[:2], target=1)


def test_an_explanation_is_a_few_lines(explanation):
    assert repr(explanation).startswith("<Attribution by IG2Explainer: values [12, 8, 8, 3]")
    one = repr(explanation[0])
    assert len(one.splitlines()) <= 3
    assert "target 1" in one
    assert "completeness gap" in one


def test_regions_say_their_own_name(explanation):
    parts = {name: getattr(explanation, name) for name in ("values", "explicand", "outputs", "distances")}
    assert repr(tf_ig2.RegionAttribution(**parts)).startswith("<RegionAttribution by an unnamed method")


def test_several_explicands_are_a_table_of_at_most_ten(explanation):
    shown = explanation._repr_html_()
    assert shown.count("<tr>") == 1 + describe.ROWS
    assert "and 2 more" in shown
    assert shown.count("data:image/png;base64") == 2 * describe.ROWS


def test_one_explicand_has_target_output_gap_and_settings(explanation):
    shown = explanation[0]._repr_html_()
    for word in ("target", "output", "completeness gap", "attributions", "rule="):
        assert word in shown


def test_a_gap_that_means_nothing_is_not_shown(image_net, images):
    for explainer in (GradCAMExplainer(image_net), GradientExplainer(image_net)):
        explanation = explainer.explain(images[0])
        assert describe.gap(explanation) is None
        assert "completeness" not in repr(explanation) + explanation._repr_html_()
    assert describe.gap(IntegratedGradientsExplainer(image_net).explain(images[0])) is not None


@pytest.mark.parametrize("name", [name for name in tf_ig2.__all__ if name.endswith("Explainer")])
def test_every_method_says_where_its_paths_end_or_that_it_does_not_add_up(name, image_net):
    """IG²'s end is GradCF, which distances say; XRAI's is its base's, a walk's its own."""
    if name in ("IG2Explainer", "XRAIExplainer", "WalkExplainer"):
        return
    model, options = image_net, {}
    if name == "DiscretizedIGExplainer":
        words = keras.layers.Embedding(9, 2, name="words")
        model = keras.Sequential([keras.Input([3], dtype="int32"), words, keras.layers.Flatten()])
        options = {"input_layer": "words"}
    explainer = getattr(tf_ig2, name)(model, **options)
    assert "end" in explainer.settings or explainer.settings["adds_up"] is False
    assert "adds_up" not in repr(explainer)


def test_strategies_and_parts_of_walks_are_short():
    from tf_ig2.contrasts.baselines import NAMED, Blurred
    from tf_ig2.paths import distances, rules

    assert repr(Blurred(sigma=3)) == "Blurred(sigma=3)"
    assert repr(distances.get("cosine")) == "Distance('cosine')"
    assert repr(rules.segment(4)) == "Rule(nodes=4)"
    assert repr(rules.noisy_idgi(0.1, 0)) == "Rule(nodes=1, idgi=True, noise=0.1, seed=0)"
    assert all(len(repr(baseline)) < 60 for baseline in NAMED.values())


def test_all_is_escaped(explanation):
    evil = "<script>alert(1)</script>"
    changed = type(explanation)(
        explanation.values, explanation.explicand, explanation.outputs, explanation.distances, settings={"method": evil}
    )
    assert evil not in changed._repr_html_()
    named = describe.object_html(evil, {evil: evil})
    assert "<script" not in named
    assert named.count("&lt;script&gt;") == 3


def test_explainers_and_views(relu_net):
    explainer = IG2Explainer(relu_net, steps=7)
    assert "steps=7" in repr(explainer)
    assert "[N, 6] → [N, 4]" in repr(explainer)
    assert len(repr(explainer)) < 500
    assert "<td>7</td>" in explainer._repr_html_()
    assert "without a model" in repr(IG2Explainer())
    assert "<td>none</td>" in IG2Explainer()._repr_html_()
    view = ModelView.from_callables(keras.ops.tanh, keras.ops.tanh, explainer.view.inputs_spec)
    assert repr(view) == "<ModelView of callables: [N, 6] → [N, 6]>"
    assert "penultimate" in explainer.view._repr_html_()


def test_representations(relu_net, references):
    assert repr(IG2Explainer(relu_net).represent(references)).startswith("<Representations [2, 8]; known: represent")
