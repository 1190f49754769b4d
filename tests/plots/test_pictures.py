"""Every picture draws what it is for, and refuses by name what it cannot draw."""

import numpy as np
import pytest

from tf_ig2 import Attribution, plots

H, W, T, F = 8, 9, 12, 5
NAMES = ["a", "b<", "$c$", "d", "e"]


def numbers(*shape):
    return np.random.default_rng(0).normal(size=shape)


LABELS = np.arange(H * W).reshape(H, W) // 18
DIES = np.random.default_rng(1).integers(0, 3, [H, W])
IMAGE = {
    "grey": lambda values: plots.grey(values),
    "diverging": lambda values: plots.diverging(values),
    "overlay": lambda values: plots.overlay(values, numbers(H, W, 3)),
    "methods": lambda values: plots.methods({"one": values, "zero": np.zeros([H, W])}, numbers(H, W, 1)),
    "regions": lambda values: plots.regions(values, LABELS, numbers(H, W, 3)),
    "regions alone": lambda values: plots.regions(values, LABELS),
    "wafer": lambda values: plots.wafer(values, DIES),
}
ROW = {
    "bars": lambda values: plots.bars(values, NAMES, np.ones(F), top=3),
    "waterfall": lambda values: plots.waterfall(values, 0.0, 1.0, NAMES),
    "words": lambda values: plots.words(NAMES, values),
}
OTHER = {
    "film strip": (lambda values: plots.film_strip(values, np.zeros(4), frames=3), (4, H, W, 3)),
    "signal": (lambda values: plots.signal(values, numbers(T, 2)), (T, 2)),
    "summary": (lambda values: plots.summary(values, numbers(20, F), NAMES), (20, F)),
}
ALL = {
    **{name: (draw, (H, W, 3)) for name, draw in IMAGE.items()},
    **{name: (draw, (F,)) for name, draw in ROW.items()},
    **OTHER,
}


def save(drawn, folder):
    if isinstance(drawn, plots.Words):
        assert drawn.html().startswith("<p")
        assert drawn.svg().startswith("<svg")
        assert str(drawn)
    else:
        drawn.savefig(folder / "picture.png", dpi=40)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("scale", [1.0, 0.0])
def test_it_is_drawn_also_where_all_is_zero(name, scale, tmp_path):
    draw, shape = ALL[name]
    save(draw(scale * numbers(*shape)), tmp_path)


@pytest.mark.parametrize("name", ALL)
def test_nan_is_refused(name):
    draw, shape = ALL[name]
    with pytest.raises(ValueError, match="NaN or infinite"):
        draw(np.full(shape, np.nan))


@pytest.mark.parametrize("name", ALL)
def test_what_are_no_numbers_is_refused(name):
    with pytest.raises((TypeError, ValueError), match=r"numbers|of shape"):
        ALL[name][0](np.full(ALL[name][1], "x"))


@pytest.mark.parametrize("name", ALL)
def test_a_batch_is_refused(name):
    draw, shape = ALL[name]
    with pytest.raises(ValueError, match=r"batch|shape|not \[|one for each"):
        draw(numbers(3, *shape))


@pytest.mark.parametrize("name", IMAGE)
def test_channels_first_is_refused(name):
    with pytest.raises(ValueError, match="channels first"):
        IMAGE[name](numbers(3, H, W))


@pytest.mark.parametrize("draw", [plots.image, plots.heat_map])
def test_panels_refuse_channels_first_and_nan(draw):
    axes = plots.bars(np.ones(2)).axes[0]
    with pytest.raises(ValueError, match="channels first"):
        draw(axes, numbers(3, H, W))
    with pytest.raises(ValueError, match="NaN"):
        draw(axes, np.full([H, W], np.nan))


@pytest.mark.parametrize("name", ROW)
def test_another_number_of_names_is_refused(name):
    with pytest.raises(ValueError, match=r"pass one for each|as the values"):
        ROW[name](numbers(F + 1))


def test_names_are_not_one_string():
    with pytest.raises(TypeError, match="list of names"):
        plots.words("abcde", numbers(F))


REFUSED = {
    "alpha": lambda: plots.overlay(numbers(H, W), numbers(H, W), alpha=2),
    "no map": lambda: plots.methods({}),
    "labels": lambda: plots.regions(numbers(H, W), np.zeros([H, W])),
    "share": lambda: plots.regions(numbers(H, W), LABELS, share=0),
    "another image": lambda: plots.regions(numbers(H, W), LABELS, numbers(4, 4, 3)),
    "four channels": lambda: plots.overlay(numbers(H, W), numbers(H, W, 5)),
    "frames": lambda: plots.film_strip(numbers(4, H, W, 3), frames=1),
    "outputs": lambda: plots.film_strip(numbers(4, H, W, 3), np.zeros(3)),
    "dies": lambda: plots.wafer(numbers(H, W), np.full([H, W], 7)),
    "top": lambda: plots.bars(numbers(F), top=0),
    "start": lambda: plots.waterfall(numbers(F), np.zeros(2), 1.0),
    "features": lambda: plots.summary(numbers(4, F), numbers(4, F + 1)),
    "times": lambda: plots.signal(numbers(T), numbers(T), times=np.zeros(T)),
    "channels": lambda: plots.signal(numbers(T, 3), numbers(T, 2)),
    "width": lambda: plots.words(NAMES, numbers(F)).svg(0),
}


@pytest.mark.parametrize("case", REFUSED)
def test_arguments_out_of_range_are_refused(case):
    with pytest.raises(ValueError):  # noqa: PT011
        REFUSED[case]()


class TestWords:
    def test_html_is_escaped(self):
        shown = plots.words(["<script>", '"&'], [1.0, -1.0]).html()
        assert "<script>" not in shown
        assert "&lt;script&gt;" in shown
        assert "#b2182b" in shown
        assert "#2166ac" in shown

    def test_svg_is_escaped_and_breaks_lines(self):
        import xml.etree.ElementTree as ET

        picture = ET.fromstring(plots.words(["<b>"] * 30, numbers(30)).svg(200))
        assert len({box.get("y") for box in picture.iter("{http://www.w3.org/2000/svg}rect")}) > 3

    def test_a_terminal_gets_no_control_characters_of_words(self):
        assert "\x1b[2J" not in str(plots.words(["\x1b[2J"], [1.0]))

    def test_embeddings_are_summed(self):
        np.testing.assert_allclose(plots.words(NAMES, numbers(F, 4)).values, numbers(F, 4).sum(axis=1))


class TestWaterfall:
    def labels(self, figure):
        return [label.get_text() for label in figure.axes[0].get_yticklabels()]

    def ends(self, figure):
        return [bar.get_x() + bar.get_width() for bar in figure.axes[0].patches]

    def test_it_ends_at_the_output(self):
        values = numbers(F)
        figure = plots.waterfall(values, 2.0, 2.0 + values.sum(), NAMES, top=2)
        assert self.ends(figure)[-1] == pytest.approx(2.0 + values.sum())
        assert self.labels(figure)[0] == "3 others"

    def test_what_is_missing_is_a_bar(self):
        figure = plots.waterfall(np.ones(F), 0.0, 7.0, NAMES)
        assert self.labels(figure)[-1] == "completeness gap"
        assert self.ends(figure)[-1] == pytest.approx(7.0)


def test_bars_are_the_largest_with_their_values():
    figure = plots.bars([1.0, -5.0, 2.0], ["a", "b", "c"], [7, 8, 9], top=2)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["b = 8", "c = 9", "1 others"]


def test_methods_share_one_scale_where_zero_is_white():
    figure = plots.methods({"a": np.full([H, W], 2.0), "b": np.full([H, W], -1.0)}, percentile=100)
    limits = {axes.images[0].get_clim() for axes in figure.axes if axes.images}
    assert limits == {(-2.0, 2.0)}


def test_regions_are_taken_by_density_up_to_the_share():
    values = np.where(LABELS == 2, 1.0, 0.0)
    figure = plots.regions(values, LABELS, numbers(H, W, 3), share=0.25)
    assert figure.axes[0].get_title() == "1 of 4 regions"


def test_a_film_strip_has_both_ends():
    figure = plots.film_strip(numbers(10, H, W, 3), frames=3)
    assert [axes.get_title() for axes in figure.axes] == ["explicand", "step 4", "end"]


class TestPlot:
    def explanation(self, values, explicand, steps=1, **parts):
        outputs = np.linspace(3.0, 0.0, steps + 1)[None]
        return Attribution(values, explicand, outputs, np.zeros_like(outputs), **parts)

    def titles(self, figure):
        return [axes.get_title() for axes in figure.axes]

    def test_no_curve_without_a_path_and_no_end_without_one(self):
        figure = self.explanation(numbers(F), np.ones(F), settings={"method": "GradCAMExplainer"}).plot()
        assert self.titles(figure) == ["explicand", "GradCAM"]

    def test_the_end_has_its_name(self):
        ends = {"counterfactuals": np.zeros([1, F])}
        figure = self.explanation(numbers(F), np.ones(F), 4, settings={"end": "baseline"}, **ends).plot()
        assert self.titles(figure)[1:3] == ["baseline", "x − baseline"]
        assert figure.axes[-1].get_xlabel() == "steps: explicand → baseline"
        assert self.titles(self.explanation(numbers(F), np.ones(F), **ends).plot())[1] == "path's end"

    def test_zeros_are_drawn_and_what_cannot_be_is_refused(self):
        zero = self.explanation(np.zeros([H, W, 3]), np.zeros([H, W, 3]))
        assert self.titles(zero.plot(overlay=True))[-1] == "attributions"
        with pytest.raises(ValueError, match="NaN"):
            self.explanation(np.full([H, W, 3], np.nan), numbers(H, W, 3)).plot()
        with pytest.raises(ValueError, match="NaN"):
            self.explanation(numbers(F), np.full([F], np.nan)).plot()
        with pytest.raises(ValueError, match="channels first"):
            self.explanation(numbers(3, H, W), numbers(3, H, W)).plot()

    def test_a_notebook_shows_no_picture_of_what_has_none(self):
        shown = self.explanation(np.full([H, W], np.nan), numbers(3, H, W))._repr_html_()
        assert "<img" not in shown
        assert "output" in shown

    def test_title_names_and_overlay(self):
        image = self.explanation(numbers(H, W, 3), numbers(H, W, 3)).plot(title="mine", overlay=0.5)
        assert image.get_suptitle() == "mine"
        assert len(image.axes[-1].images) == 2
        named = self.explanation(numbers(F), np.ones(F)).plot(feature_names=NAMES)
        assert [label.get_text() for label in named.axes[-1].get_xticklabels()] == NAMES

    def test_tokens(self):
        figure = self.explanation(numbers(F, 4), numbers(F, 4)).plot(tokens=NAMES)
        assert [text.get_text() for text in figure.axes[0].texts] == ["a", "b<", r"\$c\$", "d", "e"]

    def test_the_users_own_axes(self):
        axes = plots.bars(np.ones(2)).axes[0]
        figure = self.explanation(numbers(H, W, 3), numbers(H, W, 3)).plot(ax=axes, title="mine")
        assert figure is axes.get_figure()
        assert axes.get_title() == "mine"

    def test_several_inputs_stand_below_each_other(self):
        values = {"image": numbers(H, W, 3), "table": numbers(F)}
        figure = self.explanation(values, values).plot()
        assert self.titles(figure)[::2] == ["image", "table"]
        with pytest.raises(ValueError, match="several inputs"):
            self.explanation(values, values).plot(ax=figure.axes[0])

    @pytest.mark.parametrize(
        "options", [{"overlay": 2}, {"feature_names": ["a"]}, {"tokens": ["a"]}, {"class_names": ["a"]}]
    )
    def test_options_that_do_not_fit_are_refused(self, options):
        with pytest.raises(ValueError, match=r"overlay|one for each|class_names"):
            self.explanation(numbers(F), np.ones(F), target=np.int64(3)).plot(**options)
