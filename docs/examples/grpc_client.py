"""Explanations by TensorFlow Serving's gRPC API: `python docs/examples/grpc_client.py SAMPLES.npy [ADDRESS [MODEL]]`.

ADDRESS is localhost:8500 and MODEL digits by default. It needs `pip install tf_ig2[serving]`.
"""

import sys

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

OUTPUTS = ["attributions", "output", "counterfactual_output", "target"]
"""What has to travel; GradCF is R times as large as the samples and is left out."""


def explain(
    x: np.ndarray, address: str = "localhost:8500", model: str = "digits", target: int = -1
) -> dict[str, np.ndarray]:
    """Asks for the explanations of samples `[N, ...]`; a ValueError says what the server did not like."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = "explain"
    request.inputs["x"].CopyFrom(tf.make_tensor_proto(x, tf.float32))
    request.inputs["target"].CopyFrom(tf.make_tensor_proto(target, tf.int32))
    request.output_filter.extend(OUTPUTS)
    with grpc.insecure_channel(address, options=[("grpc.max_receive_message_length", 1 << 28)]) as channel:
        try:
            answer = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(request, timeout=60)
        except grpc.RpcError as error:
            raise ValueError(error.details()) from error
    return {name: tf.make_ndarray(value) for name, value in answer.outputs.items()}


if __name__ == "__main__":
    answer = explain(np.load(sys.argv[1]), *sys.argv[2:])
    for target, output, there, values in zip(
        answer["target"], answer["output"], answer["counterfactual_output"], answer["attributions"], strict=True
    ):
        print(f"class {target}: {output:.3f}, at GradCF {there.mean():.3f}, attributions {values.shape}")
