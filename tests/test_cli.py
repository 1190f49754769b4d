"""The command line: files come out, and what is wrong with the input is one line and status 1."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import tf_ig2
from tf_ig2 import Attribution, cli, demo, explain_command


@pytest.fixture
def folder(tmp_path, image_net, rng):
    image_net.save(tmp_path / "model.keras")
    for part, count in (("images", 3), ("references", 2)):
        (tmp_path / part).mkdir()
        for i in range(count):
            pixels = rng.integers(0, 256, [10, 9, 3]).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / part / f"{part}_{i}.png")
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


def explain(folder, *options, model="model.keras", images="images", references="references"):
    return run(
        *("explain", folder / model, folder / images, "--references", folder / references, "--out", folder / "out"),
        *options,
    )


def test_explain_writes_a_picture_and_an_array_for_each_image(folder):
    done = explain(folder, "--steps", 3)
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in (folder / "out").iterdir()) == sorted(
        f"images_{i}.{kind}" for i in range(3) for kind in ("npz", "png")
    )
    explanation = Attribution.load(folder / "out" / "images_1.npz")
    assert explanation.values.shape == (8, 8, 3)
    assert explanation.counterfactuals.shape == (2, 8, 8, 3)
    assert "3 explanation(s)" in done.output


def test_images_of_the_same_name_do_not_overwrite_each_other(folder):
    other = folder / "other"
    other.mkdir()
    (other / "images_0.png").write_bytes((folder / "images" / "images_1.png").read_bytes())
    done = run(
        *("explain", folder / "model.keras", folder / "images" / "images_0.png", other / "images_0.png"),
        *("--references", folder / "references", "--out", folder / "out", "--steps", 1),
    )
    assert done.exit_code == 0, done.output
    assert (folder / "out" / "images_0_2.npz").exists()


def test_an_inner_layer_is_drawn_on_the_image(folder, image_net):
    done = explain(folder, "--steps", 2, "--input-layer", image_net.layers[1].name)
    assert done.exit_code == 0, done.output
    explanation = Attribution.load(folder / "out" / "images_1.npz")
    assert explanation.values.shape == (6, 6, 8)
    assert explanation.at_input().values.shape == (8, 8)


def test_names_of_classes_and_the_gap_are_said(folder):
    (folder / "names.txt").write_text("ape\nbee\ncat\ndog\n")
    options = ("--class-names", folder / "names.txt", "--steps", 1, "--target", 2, "--norm", "l1", "--seed", 3)
    done = explain(folder, *options, "--distance", "cosine")
    assert done.exit_code == 0, done.output
    assert "cat = " in done.output
    assert "of what it explains" in done.output
    settings = Attribution.load(folder / "out" / "images_0.npz").settings
    assert (settings["distance"], settings["seed"]) == ("cosine", 3)


def test_a_large_gap_comes_with_advice(folder):
    done = explain(folder, "--steps", 2, "--rule", "explicand", "--step-size", 5000)
    assert done.exit_code == 0, done.output
    assert "take --rule segment" in done.output


def test_what_is_corrupt_is_said_at_the_end_and_the_others_are_done(folder):
    (folder / "images" / "images_1.png").write_bytes(b"no image")
    done = explain(folder, "--steps", 1)
    assert done.exit_code == 1
    assert (folder / "out" / "images_2.npz").exists()
    assert not (folder / "out" / "images_1.npz").exists()
    assert "2 explanation(s)" in done.stdout
    assert done.stderr.splitlines()[-1].startswith("tf-ig2: error: ")
    assert "images_1.png" in done.stderr


@pytest.mark.parametrize("method", ["ig", "grad-cam"])
def test_other_methods(folder, method):
    done = run("explain", folder / "model.keras", folder / "images", "--method", method, "--out", folder / "out")
    assert done.exit_code == 0, done.output
    assert ("completeness gap" in done.output) == (method == "ig")
    assert Attribution.load(folder / "out" / "images_0.npz").values.shape[:2] == (8, 8)


def test_reports_and_the_preset_for_photographs(folder):
    (folder / "names.txt").write_text("ape\nbee\ncat\n<b>dog\n")
    options = (
        "--preset",
        "photographs",
        "--steps",
        2,
        "--report",
        "--class-names",
        folder / "names.txt",
        "--target",
        3,
    )
    done = explain(folder, *options)
    assert done.exit_code == 0, done.output
    settings = Attribution.load(folder / "out" / "images_0.npz").settings
    assert {**settings, "steps": 2, "step_size": "range", "rule": "counterfactual"} == settings
    assert settings["norm"] == "SparseL1(percentile=90.0)"
    page = (folder / "out" / "images_2.html").read_text(encoding="utf-8")
    assert "<title>Why &lt;b&gt;dog?</title>" in page
    assert page.count("data:image/png;base64,") >= 5


def test_every_method_for_images_is_there():
    explainers = {name for name in tf_ig2.__all__ if name.endswith("Explainer")}
    assert {*explain_command.METHODS.values()} == explainers - {
        "SequentialIGExplainer",
        "DiscretizedIGExplainer",
        "WalkExplainer",
    }


def quiet(*arguments, folder):
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    command = [sys.executable, "-c", "from tf_ig2.cli import main; main()", *map(str, arguments)]
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=120)


def test_nothing_is_said_on_stderr_and_missing_folders_are_made(tmp_path):
    done = quiet("demo", "--out", tmp_path / "new" / "demo.png", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "new" / "demo.png").exists()


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["explain", "--help"]])
def test_help_and_version_need_no_tensorflow(arguments, tmp_path):
    code = (
        "import sys\nfrom tf_ig2.cli import main\ntry:\n    main()\nexcept SystemExit:\n    pass\n"
        "print('tensorflow' in sys.modules, 'numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "False False"
    assert done.stderr == ""


DEFAULTS = {"model": "model.keras", "images": "images", "references": "references"}
BAD = {
    "no model": ({"model": "nothing.keras"}, [], "no model file"),
    "corrupt model": ({"model": "images/images_0.png"}, [], "cannot be loaded as a Keras model"),
    "no images": ({"images": "nothing"}, [], "no file or folder"),
    "no references": ({"references": "nothing"}, [], "no file or folder"),
    "not an image": ({"references": "model.keras"}, [], "cannot be read as an image"),
    "steps": ({}, ["--steps", "0"], "`steps` must be positive"),
    "rule": ({}, ["--rule", "middle"], "Unknown rule"),
    "target": ({}, ["--target", "9"], "out of range"),
    "layer": ({}, ["--layer", "nope"], "'nope' is not a layer"),
    "method": ({}, ["--method", "magic"], "Unknown method"),
    "option of another method": ({}, ["--method", "expected-ig", "--norm", "l1"], "has no --norm"),
    "nothing to contrast": ({}, ["--method", "grad-cam"], "leave --references out"),
    "preset": ({}, ["--preset", "magic"], "Unknown preset"),
    "preset of another method": ({}, ["--preset", "photographs", "--method", "ig"], "goes with another method"),
    "names": ({}, ["--class-names", "nothing.txt"], "nothing.txt"),
    "input layer": ({}, ["--input-layer", "nope"], "'nope' is not a layer"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(folder, case, monkeypatch, capsys):
    paths, options, message = BAD[case]
    model, images, references = (paths.get(name, default) for name, default in DEFAULTS.items())
    arguments = ["tf-ig2", "explain", folder / model, folder / images, "--references", folder / references]
    monkeypatch.setattr(sys, "argv", [str(a) for a in [*arguments, "--out", folder / "out", *options]])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 1
    lines = [line for line in capsys.readouterr().err.splitlines() if "tf-ig2" in line]
    assert len(lines) == 1
    assert message in lines[0]


def test_a_model_for_something_else_than_images(folder, relu_net):
    relu_net.save(folder / "vector.keras")
    done = explain(folder, model="vector.keras")
    assert done.exit_code == 1
    assert "must take one image" in str(done.exception)


def test_unsafe_models_are_not_loaded(folder):
    lambda_net = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Lambda(lambda x: x), keras.layers.Flatten()])
    lambda_net.save(folder / "lambda.keras")
    done = explain(folder, model="lambda.keras")
    assert done.exit_code == 1
    assert "cannot be loaded" in str(done.exception)


def test_demo(tmp_path):
    done = run("demo", "--out", tmp_path / "demo.png")
    assert done.exit_code == 0, done.output
    assert "completeness gap" in done.output
    with Image.open(tmp_path / "demo.png") as picture:
        assert picture.width > 1000


def test_the_demo_says_which_file_it_wrote(tmp_path):
    *_, said = demo.run(tmp_path / "figure")
    assert said == f"  figure: {tmp_path / 'figure.png'}"
    assert (tmp_path / "figure.png").exists()


def test_the_demo_turns_fives_into_sixes():
    ig2, ig, references = demo.explain_digit()
    model = keras.models.load_model(demo.saved_models.path("digits_cnn"))
    assert model.predict(ig2.explicand[None], verbose=0).argmax() == 5
    after = model.predict(ig2.counterfactuals, verbose=0)
    assert (after.argmax(axis=-1) == 6).mean() >= 0.75
    assert ig.values.shape == ig2.values.shape == references.shape[1:]


@pytest.mark.parametrize(("digits", "message"), [((5, 5), "nothing to contrast"), ((11, 5), "explained")])
def test_demo_of_impossible_digits(digits, message):
    with pytest.raises(ValueError, match=message):
        demo.explain_digit(*digits)
