"""A report is one page of HTML that shows what it holds, in a browser, and nothing else."""

import re
import shutil
import subprocess

import numpy as np
import pytest

from tf_ig2 import Attribution, IG2Explainer, Keep, RegionAttribution, plots

EVIL = "<script>alert(1)</script>"
BROWSER = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")


def numbers(*shape):
    return np.random.default_rng(0).normal(size=shape)


def made(values, explicand=None, steps=1, settings=None, **parts):
    total = float(np.sum(values)) if isinstance(values, np.ndarray) else 0.0
    outputs = np.linspace(total, 0.0, steps + 1)[None]
    settings = {"method": "IG2Explainer", "tf_ig2": "9.9", "word": EVIL, **(settings or {})}
    explicand = values if explicand is None else explicand
    return Attribution(values, explicand, outputs, np.ones_like(outputs), settings=settings, **parts)


@pytest.fixture(scope="module")
def explanation(image_net):
    images = np.random.default_rng(0).random([4, 8, 8, 3])
    return IG2Explainer(image_net, steps=3).explain(images[0], images[1:], 2, keep=Keep(path=True))


def pictures(page):
    return page.count('src="data:image/png;base64,')


def test_an_image_has_all_its_pictures_and_facts(explanation, tmp_path):
    explanation.report(tmp_path / "why.html", class_names=["a", "b", EVIL])
    page = (tmp_path / "why.html").read_text(encoding="utf-8")
    assert pictures(page) == 7  # explicand, map, overlay, GradCF, GradCFE, film strip, curves
    for word in ("Why &lt;script&gt;", "completeness gap", "GradCF", "rule", "idgi", "TensorFlow", "step_size"):
        assert word in page
    assert "<script" not in page
    assert not re.search(r'(src|href)="(?!data:)|url\(|@import', page)


def test_words_are_coloured_and_escaped():
    page = plots.report(made(numbers(3, 4)), tokens=["who", EVIL, "&"])
    assert page.count('<span title="') == 3
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page


KINDS = {
    "table": (made(numbers(5)), "From there to here", 1),
    "no gap": (made(numbers(5), settings={"adds_up": False}), "does not claim to add up", 1),
    "signal": (made(numbers(80, 2)), "Signal", 1),
    "map": (made(numbers(8, 8), numbers(8, 8, 3)), "Pictures", 3),
    "numbers": (made(numbers(3, 4, 5)), "Attributions", 1),
    "path": (made(numbers(5), steps=4), "Along the path", 2),
    "several": (made({"image": numbers(8, 8, 3), EVIL: numbers(4)}), "<h2>image", 4),
}


@pytest.mark.parametrize("name", KINDS)
def test_each_kind_has_its_pictures(name):
    attribution, word, count = KINDS[name]
    page = plots.report(attribution)
    assert word in page
    assert pictures(page) == count
    assert "<script" not in page


def test_regions_are_shown():
    values, labels = numbers(8, 8), np.arange(64).reshape(8, 8) // 16
    one = made(values, numbers(8, 8, 3))
    regions = RegionAttribution(one.values, one.explicand, one.outputs, one.distances, regions=labels)
    page = plots.report(regions)
    assert "the most important regions" in page
    assert pictures(page) == 4


def test_a_large_gap_comes_with_advice():
    complete = made(numbers(5))
    missing = Attribution(complete.values * 2, complete.explicand, complete.outputs, complete.distances)
    assert "class=note" in plots.report(missing)
    assert "class=note" not in plots.report(complete)


WRONG = {
    "kind": (lambda: plots.report(made(numbers(5)), kind="song"), ValueError, "Unknown kind: 'song'"),
    "names": (lambda: plots.report(made(numbers(5)), feature_names=["a"]), ValueError, "one for each"),
    "NaN": (lambda: plots.report(made(np.full([5], np.nan))), ValueError, "NaN"),
    "channels first": (lambda: plots.report(made(numbers(3, 8, 8))), ValueError, "channels first"),
    "class names": (
        lambda: plots.report(made(numbers(5), target=np.int64(3)), class_names=["a"]),
        ValueError,
        "none for class 3",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_shown_is_refused(name):
    make, error, message = WRONG[name]
    with pytest.raises(error, match=message):
        make()


def test_a_batch_is_refused_and_nothing_is_written(image_net, tmp_path):
    images = np.random.default_rng(0).random([2, 8, 8, 3])
    batch = IG2Explainer(image_net, steps=1).explain(images, images)
    with pytest.raises(ValueError, match=r"explanation\[0\]"):
        batch.report(tmp_path / "why.html")
    assert not list(tmp_path.iterdir())


def test_zeros_are_shown():
    zero = made(np.zeros(5))
    assert pictures(plots.report(zero)) == 1
    assert pictures(plots.report(made(np.zeros([8, 8, 3])))) == 3


PROBE = """<script>addEventListener("load", () => {
  const images = [...document.images];
  document.title += "|" + images.filter(i => i.complete && i.naturalWidth > 1).length + "/" + images.length;
});</script>"""


@pytest.mark.skipif(BROWSER is None, reason="no Chromium to open the page in")
def test_a_browser_opens_it(explanation, tmp_path):
    page = plots.report(explanation, class_names=["a", "b", EVIL])
    # What the page forbids itself is lifted for the probe alone, which counts the pictures that were decoded.
    probed = page.replace("default-src 'none'", "default-src 'none'; script-src 'unsafe-inline'")
    (tmp_path / "why.html").write_text(probed.replace("</body>", PROBE + "</body>"), encoding="utf-8")
    command = [
        *(BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
        *(f"--user-data-dir={tmp_path / 'profile'}", "--enable-logging=stderr", "--virtual-time-budget=5000"),
        *("--dump-dom", (tmp_path / "why.html").as_uri()),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    assert "<title>Why &lt;script&gt;alert(1)&lt;/script&gt;?|7/7</title>" in done.stdout
    assert "<h1>Why &lt;script&gt;alert(1)&lt;/script&gt;?</h1>" in done.stdout
    assert "CONSOLE" not in done.stderr
