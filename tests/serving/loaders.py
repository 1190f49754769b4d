"""Loads exported explainers as others do, where Keras and tf_ig2 cannot be imported: loaders.py JOBS.npz KIND=OUT.npz …

JOBS holds for each job "<job>/names", as JSON the path of the model and the tensor names of a signature, and the feeds
of its calls, "<job>/<call>/<input>". OUT gets "<job>/<call>/<output>", or "<job>/<call>/error": what the runtime said.
"""

import ctypes
import importlib.util
import json
import os
import sys

import numpy as np

TYPES = {np.dtype(np.float32): 1, np.dtype(np.float64): 2, np.dtype(np.int32): 3, np.dtype(np.int64): 9}


def saved_model(path, names):
    import tensorflow as tf

    signature = tf.saved_model.load(path).signatures[names["signature"]]

    def call(feeds):
        feeds = {"target": np.int32(-1), **feeds} if "target" in names["inputs"] else feeds
        return {
            name: value.numpy() for name, value in signature(**{n: tf.constant(v) for n, v in feeds.items()}).items()
        }

    return call


def session(path, names):
    import tensorflow as tf

    session = tf.compat.v1.Session(graph=tf.Graph())
    with session.graph.as_default():
        tf.compat.v1.saved_model.load(session, ["serve"], path)
    return lambda feeds: session.run(names["outputs"], {names["inputs"][name]: value for name, value in feeds.items()})


class Output(ctypes.Structure):
    _fields_ = (("operation", ctypes.c_void_p), ("index", ctypes.c_int))


def c_api(path, names):
    """TensorFlow Serving's own loader and session, without Python on their side."""
    folder = importlib.util.find_spec("tensorflow").submodule_search_locations[0]
    tf = ctypes.CDLL(os.path.join(folder, "libtensorflow_cc.so.2"))
    pointer, text, integer = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
    for function, result in {
        "TF_NewStatus": pointer,
        "TF_Message": text,
        "TF_NewSessionOptions": pointer,
        "TF_NewGraph": pointer,
        "TF_LoadSessionFromSavedModel": pointer,
        "TF_GraphOperationByName": pointer,
        "TF_NewTensor": pointer,
        "TF_TensorData": pointer,
        "TF_Dim": ctypes.c_int64,
    }.items():
        getattr(tf, function).restype = result
    status = pointer(tf.TF_NewStatus())
    graph = pointer(tf.TF_NewGraph())

    def check():
        if tf.TF_GetCode(status):
            raise RuntimeError(f"{tf.TF_GetCode(status)} {tf.TF_Message(status).decode()}")

    tags = (text * 1)(b"serve")
    loaded = pointer(
        tf.TF_LoadSessionFromSavedModel(
            pointer(tf.TF_NewSessionOptions()), None, path.encode(), tags, 1, graph, None, status
        )
    )
    check()
    nothing = ctypes.CFUNCTYPE(None, pointer, ctypes.c_size_t, pointer)(lambda *_: None)

    def output(name):
        operation, index = name.split(":")
        return Output(tf.TF_GraphOperationByName(graph, operation.encode()), int(index))

    def tensor(array):
        array = np.ascontiguousarray(array)
        shape = (ctypes.c_int64 * array.ndim)(*array.shape)
        data = array.ctypes.data_as(pointer)
        made = tf.TF_NewTensor(
            TYPES[array.dtype], shape, array.ndim, data, ctypes.c_size_t(array.nbytes), nothing, None
        )
        return made, array  # the array must outlive the tensor

    def array(tensor):
        tensor = pointer(tensor)
        shape = [tf.TF_Dim(tensor, integer(axis)) for axis in range(tf.TF_NumDims(tensor))]
        dtype = next(dtype for dtype, number in TYPES.items() if number == tf.TF_TensorType(tensor))
        size = int(np.prod(shape)) * dtype.itemsize
        return np.frombuffer(ctypes.string_at(tf.TF_TensorData(tensor), size), dtype).reshape(shape)

    def call(feeds):
        inputs = (Output * len(feeds))(*[output(names["inputs"][name]) for name in feeds])
        alive = [tensor(value) for value in feeds.values()]
        values = (pointer * len(feeds))(*[made for made, _ in alive])
        outputs = (Output * len(names["outputs"]))(*[output(name) for name in names["outputs"].values()])
        results = (pointer * len(outputs))()
        tf.TF_SessionRun(
            loaded, None, inputs, values, len(feeds), outputs, results, len(outputs), None, 0, None, status
        )
        check()
        return {name: array(result) for name, result in zip(names["outputs"], results, strict=True)}

    return call


def main(jobs, *outs):
    with np.load(jobs) as file:
        jobs = {key: file[key] for key in file.files}
    for kind, out in (out.split("=") for out in outs):
        np.savez(out, **answers({"saved_model": saved_model, "session": session, "c_api": c_api}[kind], jobs))


def answers(load, jobs):
    results, calls = {}, {}
    for key, names in jobs.items():
        if key.endswith("names"):
            job, names = key.split("/")[0], json.loads(str(names))
            calls[job] = load(names["path"], names)
    numbers = sorted({key.rsplit("/", 1)[0] for key in jobs if not key.endswith("names")})
    for number in numbers:
        feeds = {key.rsplit("/", 1)[1]: value for key, value in jobs.items() if key.startswith(f"{number}/")}
        try:
            answer = calls[number.split("/")[0]](feeds)
            results |= {f"{number}/{name}": value for name, value in answer.items()}
        except Exception as error:
            results[f"{number}/error"] = np.array(str(error))
    return results


if __name__ == "__main__":
    for stranger in ("keras", "tf_keras", "tf_ig2"):
        sys.modules[stranger] = None  # importing it is an ImportError from here on
    main(*sys.argv[1:])
