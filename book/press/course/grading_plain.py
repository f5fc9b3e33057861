"""Plain data from a submission to the grader: numbers, text, lists and arrays, as JSON.

What comes back from a student's process is rebuilt here out of Python's and NumPy's own types. An
object that says it equals everything cannot be written in this form, and no pickle is ever read.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterator, Sequence, Set
from typing import Any

import numpy as np

LARGEST = 4 * 2**20  # bytes of one message
ENTRIES = 1000  # of a dict or a set: with chosen keys, more could keep the judge busy for hours
NUMBERS = "biufc"  # NumPy's kinds of numbers


def packed(value: Any) -> Any:
    """Return what JSON can hold of a value.

    Raises
    ------
    TypeError
        If it is no plain data, with its type's name.

    Examples
    --------
    >>> unpacked(packed((1, {"a": np.arange(3)})))
    (1, {'a': array([0, 1, 2])})
    """
    if value is None or isinstance(value, bool):
        return value
    if hasattr(type(value), "__array__"):
        return packed_array(np.asarray(value))
    for kind in (int, float, str):
        if isinstance(value, kind):
            return kind(value)
    if isinstance(value, complex):
        return {"complex": [value.real, value.imag]}
    if isinstance(value, (dict, Set)) and len(value) > ENTRIES:
        raise TypeError(f"a {type(value).__name__} of more than {ENTRIES:,} entries came back")
    if isinstance(value, dict):
        return {"dict": [[packed(key), packed(item)] for key, item in value.items()]}
    if isinstance(value, tuple):
        return {"tuple": [packed(item) for item in value]}
    if isinstance(value, Set):
        return {"set": [packed(item) for item in value]}
    if isinstance(value, Iterator):
        return {"iterator": [packed(item) for item in value]}
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray, memoryview)):
        return [packed(item) for item in value]
    raise TypeError(
        f"a {type(value).__name__} came back; return numbers, text, lists, dicts or arrays"
    )


def packed_array(array: np.ndarray) -> dict[str, Any]:
    """Return an array's type, shape and bytes; of text and objects its items."""
    if array.dtype.kind in NUMBERS:
        data = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
        return {"array": [array.dtype.str, list(array.shape), data]}
    kind = "text" if array.dtype.kind == "U" else "objects"
    return {kind: [list(array.shape), [packed(item) for item in array.ravel().tolist()]]}


def unpacked(data: Any) -> Any:
    """Return the value that was packed.

    Raises
    ------
    ValueError
        If the data do not have the form that `packed` gives them.
    """
    try:
        return rebuilt(data)
    except (ValueError, TypeError, KeyError, RecursionError, MemoryError) as error:
        raise ValueError("the data do not have the agreed form") from error


def rebuilt(data: Any) -> Any:
    """Return a value, item by item; raise whatever goes wrong."""
    if data is None or isinstance(data, (bool, int, float, str)):
        return data
    if isinstance(data, list):
        return [rebuilt(item) for item in data]
    ((kind, held),) = data.items()
    if kind in ("dict", "set") and len(held) > ENTRIES:
        raise ValueError("too many entries")
    if kind == "dict":
        return {rebuilt(key): rebuilt(item) for key, item in held}
    if kind == "array":
        return rebuilt_array(*held)
    if kind in ("text", "objects"):
        shape, items = held
        array = np.empty(len(items), object)
        array[:] = [rebuilt(item) for item in items]
        array = array.reshape(shape)
        return array.astype(str)[()] if kind == "text" else array
    make = {"tuple": tuple, "set": set, "iterator": iter, "complex": lambda two: complex(*two)}
    return make[kind]([rebuilt(item) for item in held])


def rebuilt_array(kind: str, shape: list[int], data: str) -> np.ndarray | np.generic:
    """Return an array of numbers, or for an empty shape a NumPy number."""
    dtype = np.dtype(kind)
    raw = base64.b64decode(data, validate=True)
    if dtype.kind not in NUMBERS or math.prod(shape) * dtype.itemsize != len(raw):
        raise ValueError("no array of numbers")
    if dtype.kind == "b":  # a truth is 0 or 1, whatever the byte
        return (np.frombuffer(raw, np.uint8) != 0).reshape(shape)[()]
    return np.frombuffer(raw, dtype).reshape(shape).copy()[()]


def written(message: dict[str, Any]) -> bytes:
    """Return a message as bytes, its length first."""
    text = json.dumps(message).encode()
    return len(text).to_bytes(4, "big") + text


def read(text: bytes) -> dict[str, Any]:
    """Return a message.

    Raises
    ------
    ValueError
        If it is no JSON object.
    """
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError("no JSON") from error
    if not isinstance(message, dict):
        raise ValueError("no JSON object")
    return message
