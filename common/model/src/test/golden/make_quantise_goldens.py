"""Writes src/test/resources/golden/format/blocks/quantise-k.*: rows of 256 values of several kinds, and
the root mean square error that llama.cpp's own quantiser leaves in each type without an importance
matrix, divided by the root mean square of the values.

    pip install --target LIB xllamacpp==2026.10.11549 numpy
    PYTHONPATH=LIB python make_quantise_goldens.py
"""

import ctypes
import json
import pathlib

import numpy as np
import xllamacpp

OUT = pathlib.Path(__file__).parent.parent / "resources" / "golden" / "format" / "blocks"
ROWS, BLOCK = 4, 256
TYPES = {"Q4_K": (12, 144), "Q5_K": (13, 176), "Q6_K": (14, 210)}  # ggml's number, bytes of a block


def kinds():
    random = np.random.default_rng(13)
    n = ROWS * BLOCK
    normal = random.normal(0, 1, n)
    return {
        "normal": normal * 0.02,
        "heavy": random.standard_t(3, n) * 0.05,
        "laplace": random.laplace(0, 0.1, n),
        "uniform": random.uniform(-1, 1, n),
        "above zero": random.normal(3, 0.5, n),
        "below zero": random.normal(-0.3, 0.05, n),
        "uneven": random.normal(0, 1, n) * np.repeat(np.exp(random.normal(0, 1, n // 32)), 32),
        "outliers": np.where(random.random(n) < 0.01, normal, normal * 0.03),
        "sparse": np.where(random.random(n) < 0.1, normal, 0),
        "steps": np.round(normal * 4) / 4,
        "large": normal * 1e4,
        "small": normal * 1e-4,
    }


def error(lib, name, values):
    number, size = TYPES[name]
    blocks = np.zeros(values.size // BLOCK * size, np.uint8)
    back = np.zeros_like(values)
    lib.ggml_quantize_chunk.restype = ctypes.c_size_t
    lib.ggml_quantize_chunk.argtypes = [
        ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p,
        ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p,
    ]  # fmt: skip
    written = lib.ggml_quantize_chunk(
        number, values.ctypes.data, blocks.ctypes.data, 0, ROWS, BLOCK, None
    )
    assert written == blocks.size, written
    decode = getattr(lib, f"dequantize_row_{name.lower()[:2]}_K")
    decode.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64]
    decode(blocks.ctypes.data, back.ctypes.data, values.size)
    exact = values.astype(np.float64)
    return float(np.sqrt(np.mean((exact - back) ** 2) / np.mean(exact**2)))


if __name__ == "__main__":
    library = ctypes.CDLL(next(map(str, pathlib.Path(xllamacpp.__file__).parent.glob("xllamacpp*.so"))))
    rows = {kind: values.astype("<f4") for kind, values in kinds().items()}
    np.concatenate(list(rows.values())).tofile(OUT / "quantise-k.f32")
    errors = {t: {kind: error(library, t, v) for kind, v in rows.items()} for t in TYPES}
    (OUT / "quantise-k.json").write_text(json.dumps(errors, indent=1) + "\n")
