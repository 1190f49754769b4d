"""What stands in for TensorFlow Serving, as its documentation describes the two APIs; for tests only."""

import contextlib
import http.server
import json
import re
import threading

import numpy as np
import tensorflow as tf


class Model:
    """The signatures of a SavedModel, run by a session as the model server does."""

    def __init__(self, path):
        self._session = tf.compat.v1.Session(graph=tf.Graph())
        with self._session.graph.as_default():
            self.signatures = tf.compat.v1.saved_model.load(self._session, ["serve"], path).signature_def

    def predict(self, signature_name, inputs, outputs=()):
        """Name → array in, name → array out; the ValueError of a wrong request has the server's sentence."""
        name = signature_name or "serving_default"
        if name not in self.signatures:
            raise ValueError(f'Serving signature name: "{name}" not found in signature def')
        signature = self.signatures[name]
        if set(inputs) != set(signature.inputs):
            raise ValueError(f"input size does not match signature: {sorted(inputs)}, {sorted(signature.inputs)}")
        for unknown in set(outputs) - set(signature.outputs):
            raise ValueError(f"output tensor alias not found in signature: {unknown}")
        fetches = {name: signature.outputs[name].name for name in outputs or signature.outputs}
        feeds = {
            signature.inputs[name].name: np.asarray(value, tf.as_dtype(signature.inputs[name].dtype).as_numpy_dtype)
            for name, value in inputs.items()
        }
        try:
            return self._session.run(fetches, feeds)
        except tf.errors.InvalidArgumentError as error:
            raise ValueError(error.message) from error


@contextlib.contextmanager
def rest(path, name):
    """A server of the REST API; the value is the model's URL."""
    model = Model(path)

    def predict(request):
        given = {"instances", "inputs"} & set(request)
        if len(given) != 1:
            raise ValueError("Missing 'inputs' or 'instances' key, or both are there")
        if "inputs" in given:
            answer = model.predict(request.get("signature_name"), request["inputs"])
            return {"outputs": {name: value.tolist() for name, value in answer.items()}}
        rows = request["instances"]
        inputs = {name: [row[name] for row in rows] for name in rows[0]}
        answer = {name: value.tolist() for name, value in model.predict(request.get("signature_name"), inputs).items()}
        return {"predictions": [dict(zip(answer, row, strict=True)) for row in zip(*answer.values(), strict=True)]}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            try:
                if not re.fullmatch(rf"/v1/models/{name}(/versions/1)?:predict", self.path):
                    raise ValueError(f"Malformed request: POST {self.path}")
                status, answer = 200, predict(body)
            except ValueError as error:
                status, answer = 400, {"error": str(error)}
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1/models/{name}"
        server.shutdown()


@contextlib.contextmanager
def grpc(path, name):
    """A server of PredictionService; the value is its address."""
    from concurrent import futures

    import grpc
    from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

    model = Model(path)

    class Service(prediction_service_pb2_grpc.PredictionServiceServicer):
        def Predict(self, request, context):
            if request.model_spec.name != name:
                context.abort(grpc.StatusCode.NOT_FOUND, f"Servable not found for request: {request.model_spec.name}")
            inputs = {key: tf.make_ndarray(value) for key, value in request.inputs.items()}
            try:
                answer = model.predict(request.model_spec.signature_name, inputs, list(request.output_filter))
            except ValueError as error:
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
            response = predict_pb2.PredictResponse(model_spec=request.model_spec)
            for key, value in answer.items():
                response.outputs[key].CopyFrom(tf.make_tensor_proto(value))
            return response

    server = grpc.server(futures.ThreadPoolExecutor(2))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Service(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()
