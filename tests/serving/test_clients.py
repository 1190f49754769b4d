"""The clients in docs/examples get explanations from servers of TensorFlow Serving's two APIs."""

import json
import runpy
import sys
import urllib.request
from pathlib import Path

import numpy as np
import pytest

from tests.serving import servers
from tests.serving.conftest import check
from tf_ig2 import IG2Explainer

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"

pytestmark = pytest.mark.filterwarnings("ignore")  # of generated code, and of TensorFlow's loader


@pytest.fixture(scope="module")
def rest(model):
    with servers.rest(model, "digits") as url:
        yield url


@pytest.fixture(scope="module")
def grpc(model):
    pytest.importorskip(
        "tensorflow_serving", reason="tensorflow-serving-api is not installed: pip install tf_ig2[serving]"
    )
    with servers.grpc(model, "digits") as address:
        yield address


@pytest.fixture(scope="module")
def expected(net, samples, contrast):
    return IG2Explainer(net, steps=8).explain(samples, contrast)


@pytest.fixture(params=["rest", "grpc"])
def client(request):
    """A client's module, and where its server is."""
    where = request.getfixturevalue(request.param)
    return runpy.run_path(str(EXAMPLES / f"{request.param}_client.py")), where


def test_a_client_gets_explanations(client, samples, expected):
    module, where = client
    answer = module["explain"](samples, where)
    check({"completeness_gap": expected.completeness_gap, **answer}, expected)


def test_a_client_is_told_what_was_wrong(client, samples):
    module, where = client
    with pytest.raises(ValueError, match=r"`x` contains NaN or infinite values"):
        module["explain"](np.full_like(samples, np.nan), where)
    with pytest.raises(ValueError, match=r"`target` must be a class index"):
        module["explain"](samples, where, target=4)


@pytest.mark.parametrize("api", ["rest", "grpc"])
def test_a_client_is_typed(request, api, samples, expected, tmp_path, monkeypatch, capsys):
    np.save(tmp_path / "samples.npy", samples)
    script = str(EXAMPLES / f"{api}_client.py")
    monkeypatch.setattr(sys, "argv", [script, str(tmp_path / "samples.npy"), request.getfixturevalue(api)])
    runpy.run_path(script, run_name="__main__")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 8
    assert lines[0].startswith(f"class {expected.target[0]}: {expected.output[0]:.3f}, at GradCF ")


def test_rows_may_be_sent_one_by_one(rest, samples, expected):
    """The REST API's other form, with a target for each row."""
    rows = [{"x": x.tolist(), "target": -1} for x in samples]
    body = json.dumps({"signature_name": "explain", "instances": rows}).encode()
    with urllib.request.urlopen(f"{rest}:predict", body) as response:
        predictions = json.load(response)["predictions"]
    check({name: np.array([row[name] for row in predictions]) for name in predictions[0]}, expected)
