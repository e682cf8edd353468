"""Predict with an ONNX model.

Called as `onnx_runtime.py FOLDER`: the model is FOLDER/model.onnx, the raw columns are in FOLDER/columns.json, with null where
a value is missing; predictions go to FOLDER/answers.json.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime


def tensor(kind: str, values: list) -> np.ndarray:
    if kind == "tensor(double)":
        numbers = [float("nan") if value is None else value for value in values]
        return np.array(numbers, dtype=np.float64).reshape(-1, 1)
    words = ["" if value is None else value for value in values]
    return np.array(words, dtype=object).reshape(-1, 1)


def session(model: Path, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def predict(model: onnxruntime.InferenceSession, feed: dict[str, np.ndarray]) -> np.ndarray:
    (prediction,) = model.run(["prediction"], feed)
    assert prediction.dtype == np.float32
    assert prediction.shape == (len(next(iter(feed.values()))), 1)
    return prediction[:, 0]


def main() -> None:
    folder = Path(sys.argv[1])
    model = session(folder / "model.onnx", threads=1)
    columns = json.loads((folder / "columns.json").read_text())
    feed = {input.name: tensor(input.type, columns[input.name]) for input in model.get_inputs()}
    prediction = np.array(
        [
            predict(model, {name: values[row : row + 1] for name, values in feed.items()})[0]
            for row in range(len(next(iter(feed.values()))))
        ]
    )
    # In batches and in parallel the trees are added in another order: at most a neighbour.
    for threads in 1, 2:
        batch = predict(session(folder / "model.onnx", threads), feed)
        assert (np.abs(batch - prediction) <= np.spacing(np.abs(prediction))).all(), threads
    (folder / "answers.json").write_text(json.dumps([float(value) for value in prediction]))


main()
