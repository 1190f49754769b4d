"""Explanations by TensorFlow Serving's REST API: `python docs/examples/rest_client.py SAMPLES.npy [URL]`.

URL is that of the model, http://localhost:8501/v1/models/digits by default. It needs NumPy alone.
"""

import json
import sys
import urllib.error
import urllib.request

import numpy as np

URL = "http://localhost:8501/v1/models/digits"


def explain(x: np.ndarray, url: str = URL, target: int = -1) -> dict[str, np.ndarray]:
    """Asks for the explanations of samples `[N, ...]`; a ValueError says what the server did not like."""
    body = {"signature_name": "explain", "inputs": {"x": x.tolist(), "target": target}}
    request = urllib.request.Request(
        f"{url}:predict", json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            outputs = json.load(response)["outputs"]
    except urllib.error.HTTPError as error:
        raise ValueError(json.load(error)["error"]) from error
    return {name: np.array(values) for name, values in outputs.items()}


if __name__ == "__main__":
    answer = explain(np.load(sys.argv[1]), *sys.argv[2:])
    for target, output, there, values in zip(
        answer["target"], answer["output"], answer["counterfactual_output"], answer["attributions"], strict=True
    ):
        print(f"class {target}: {output:.3f}, at GradCF {there.mean():.3f}, attributions {values.shape}")
