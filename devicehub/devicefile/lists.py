"""Arrays and lists: numbers as a numpy view, elements of several fields, runs of zeros, differences."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from devicehub.devicefile.expression import Expression
from devicehub.devicefile.parts import Extent, Layout, Values
from devicehub.model.errors import ProtocolError, Reason


def _number(name: str, count: Expression | int, values: Values, most: int) -> int:
    number = count if isinstance(count, int) else count.whole(values)
    if not 0 <= number <= most:
        raise ProtocolError(Reason.RANGE, f"{name} of {number} elements; at most {most}")
    return number


def expanded(runs: np.ndarray[Any, Any], most: int) -> np.ndarray[Any, Any]:
    """Runs of zeros written out: a 0 is followed by their number. Raises `ProtocolError`."""
    out: list[int] = []
    numbers = iter(runs.tolist())
    for number in numbers:
        if number:
            out.append(number)
            continue
        zeros = next(numbers, None)
        if zeros is None or len(out) + zeros > most:
            raise ProtocolError(Reason.LENGTH, "a run of zeros without an end")
        out += [0] * int(zeros)
    return np.array(out, runs.dtype)


def contracted(numbers: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The inverse of `expanded`. A run that is longer than its type can say is told as several."""
    out: list[int] = []
    zeros, most = 0, int(np.iinfo(numbers.dtype).max) if numbers.dtype.kind in "iu" else numbers.size
    for number in [*numbers.tolist(), None]:
        if number == 0:
            zeros += 1
            continue
        while zeros:
            run = min(zeros, most)
            out += [0, run]
            zeros -= run
        if number is not None:
            out.append(number)
    return np.array(out, numbers.dtype)


class Array:
    """Numbers of one type: a view on the frame where they are plain."""

    def __init__(self, name: str, dtype: str, count: Expression | int | None, coding: str, most: int) -> None:
        self._name = name
        self._dtype = np.dtype(dtype)
        self._count = count
        self._coding = coding
        self._most = most

    def decode(self, data: bytes, at: int, values: Values) -> int:
        """As `Part.decode`."""
        width = self._dtype.itemsize
        left = (len(data) - at) // width
        number = left if self._count is None else _number(self._name, self._count, values, self._most)
        if number > left or (self._count is None and (number > self._most or (len(data) - at) % width)):
            raise ProtocolError(Reason.LENGTH, f"{self._name}: {len(data) - at} bytes for {number} elements")
        view = np.frombuffer(data, self._dtype, number, at)
        values[self._name] = self._plain(view)
        return at + number * width

    def _plain(self, view: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        if self._coding == "zero-run":
            return expanded(view, self._most)
        return np.cumsum(view, dtype=np.int64) if self._coding == "delta" else view

    def encode(self, values: Values, out: bytearray) -> None:
        """As `Part.encode`."""
        numbers = np.asarray(values.get(self._name, ()))
        if self._coding == "zero-run":
            numbers = contracted(numbers.astype(self._dtype))
        elif self._coding == "delta":
            numbers = np.diff(numbers.astype(np.int64), prepend=0)
        if isinstance(self._count, int):
            numbers = np.resize(numbers, self._count) if len(numbers) else np.zeros(self._count)
        out += numbers.astype(self._dtype).tobytes()


class Packed:
    """Numbers of 12 bits, two in three bytes; the bytes of an odd last one are filled up with zeros."""

    def __init__(self, name: str, count: Expression | int | None, most: int, *, big: bool) -> None:
        self._name, self._count, self._most, self._big = name, count, most, big

    def decode(self, data: bytes, at: int, values: Values) -> int:
        """As `Part.decode`."""
        left = len(data) - at
        number = left * 2 // 3 if self._count is None else _number(self._name, self._count, values, self._most)
        size = (number * 3 + 1) // 2
        if size > left or number > self._most or (self._count is None and size != left):
            raise ProtocolError(Reason.LENGTH, f"{self._name}: {left} bytes for {number} elements")
        triples = np.frombuffer(data[at : at + size] + bytes(-size % 3), np.uint8).reshape(-1, 3).astype("<u2")
        first, middle, last = triples.T
        if self._big:
            pairs = first << 4 | middle >> 4, (middle & 15) << 8 | last
        else:
            pairs = first | (middle & 15) << 8, middle >> 4 | last << 4
        values[self._name] = np.stack(pairs, 1).ravel()[:number]
        return at + size

    def encode(self, values: Values, out: bytearray) -> None:
        """As `Part.encode`."""
        numbers = np.asarray(values.get(self._name, ()), np.uint16)
        if isinstance(self._count, int):
            numbers = np.resize(numbers, self._count) if len(numbers) else np.zeros(self._count, np.uint16)
        one, other = np.append(numbers, [0] * (len(numbers) % 2)).astype(np.uint16).reshape(-1, 2).T
        if self._big:
            triples = one >> 4, (one & 15) << 4 | other >> 8, other & 255
        else:
            triples = one & 255, one >> 8 | (other & 15) << 4, other >> 4
        out += np.stack(triples, 1).astype(np.uint8).tobytes()[: (len(numbers) * 3 + 1) // 2]


@dataclass(frozen=True, slots=True)
class Case:
    """What follows the fields of an element when `test` holds."""

    name: str
    test: Callable[[Mapping[str, object]], bool]
    layout: Layout
    example: Mapping[str, object]


class Sequence:
    """Elements of several fields: counted, within a size, or to the end of the frame."""

    def __init__(self, name: str, layout: Layout, cases: tuple[Case, ...]) -> None:
        self._name = name
        self._layout = layout
        self._reads = layout.reads
        self._cases = cases
        self.count: Expression | int | None = None
        self.extent = Extent()
        self.most = 65536

    def decode(self, data: bytes, at: int, values: Values) -> int:
        """As `Part.decode`."""
        elements: list[Values] = []
        values[self._name] = elements
        if self.count is not None:
            number = _number(self._name, self.count, values, self.most)
            return self._counted(number, data, at, elements)
        end, after = self.extent.find(self._name, data, at, values)
        inner = data[:end]
        while at < end:
            if len(elements) >= self.most:
                raise ProtocolError(Reason.RANGE, f"{self._name} of more than {self.most} elements")
            before, at = at, self._element(inner, at, elements)
            if at == before:
                raise ProtocolError(Reason.LENGTH, f"{self._name}: an element of no bytes")
        return after

    def _counted(self, number: int, data: bytes, at: int, elements: list[Values]) -> int:
        if self._cases:
            for _ in range(number):
                at = self._element(data, at, elements)
            return at
        reads = self._reads
        for _ in range(number):
            element: Values = {}
            for read in reads:
                at = read(data, at, element)
            elements.append(element)
        return at

    def _element(self, data: bytes, at: int, elements: list[Values]) -> int:
        element: Values = {}
        for read in self._reads:
            at = read(data, at, element)
        if self._cases:
            case = self._case(element)
            element["case"] = case.name
            at = case.layout.decode(data, at, element)
        elements.append(element)
        return at

    def _case(self, element: Values) -> Case:
        for case in self._cases:
            if case.test(element):
                return case
        raise ProtocolError(Reason.UNSUPPORTED, f"{self._name}: no case for {_short(element)}")

    def encode(self, values: Values, out: bytearray) -> None:
        """As `Part.encode`."""
        inner = bytearray()
        for element in values.get(self._name, ()):
            cases = [case for case in self._cases if case.name == element.get("case")]
            filled = {**cases[0].example, **element} if cases else dict(element)
            self._layout.encode(filled, inner)
            for case in cases:
                case.layout.encode(filled, inner)
        if self.count is None:
            self.extent.write(bytes(inner), values, out)
        else:
            out += inner


def _short(element: Values) -> str:
    return ", ".join(f"{name} {value}" for name, value in list(element.items())[:4])[:80]
