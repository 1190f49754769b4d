"""Reads the opcodes of a pickle into plain values and inert stand-ins, within a budget.

`pickle` itself lets a file of a few bytes claim gigabytes for its memo, and a few kilobytes describe structures that
take for ever to look at. Here every opcode is read by us, only those that tables of arrays are made of, and what it
costs is taken from a budget before it is done. Whatever the file names is looked up in a table that its caller gives.

Reference: `pickletools`, in which the opcodes are described.
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

Buffer: TypeAlias = Any
"""bytes, or a `mmap`: what slices to bytes and indexes to int."""


class BudgetError(ValueError):
    """A file costs more than anything of its size that is what it should be."""


@dataclass
class Budget:
    """What may still be spent; taken from while reading, and while what was read is made into arrays.

    Attributes:
      items: numbers, words, containers and stand-ins.
      memo: entries of the pickle's memo.
      depth: marks that are open at one time.
      bytes: in words and arrays.
    """

    items: int
    memo: int
    depth: int
    bytes: int

    @classmethod
    def of_size(cls, size: int) -> Budget:
        """For a file of so many bytes: several times what tables of wafer maps need, and no multiple of that."""
        items = min(1_000_000 + size // 8, 100_000_000)
        return cls(items=items, memo=items, depth=100, bytes=2**26 + 4 * size)

    def take_bytes(self, number: int) -> None:
        """Takes bytes.

        Raises:
          BudgetError: there are not so many.
        """
        self.bytes -= number
        if self.bytes < 0:
            raise BudgetError("it describes more bytes than a file of its size should")


class Reader:
    """One pickle.

    Args:
      data: all of its bytes.
      find_class: (module, name) → a class or function of the caller's that `REDUCE` may call.
      instance: (what `find_class` gave, arguments) → the object.
      build: (object, state), for `BUILD`; raises for objects that take no state.
      budget: what it may cost.

    Example:
      >>> import pickle
      >>> Reader(pickle.dumps(["a", 1]), print, print, print, Budget.of_size(20)).load()
      ['a', 1]
    """

    def __init__(
        self,
        data: Buffer,
        find_class: Callable[[str, str], Any],
        instance: Callable[[Any, tuple], Any],
        build: Callable[[Any, Any], None],
        budget: Budget,
    ):
        self._data, self._size, self._at = data, len(data), 0
        self._find_class, self._instance, self._build = find_class, instance, build
        self.budget = budget
        self.stack: list[Any] = []
        self.marked: list[list[Any]] = []
        self._memo: dict[int, Any] = {}
        self._named: dict[tuple[str, str], Any] = {}

    def load(self) -> Any:
        """The object.

        Raises:
          BudgetError: it costs too much.
          ValueError, TypeError, IndexError, KeyError, struct.error: it is damaged, or no table.
        """
        data, size, steps, left = self._data, self._size, _STEPS, self.budget.items
        try:
            while self._at < size:
                code = data[self._at]
                self._at += 1
                if code == _STOP:
                    if len(self.stack) != 1 or self.marked:
                        raise ValueError("something is left over at its end")
                    return self.stack[0]
                step = steps[code]
                if step is None:
                    raise ValueError(f"the opcode {code:#04x}, which tables are not made of")
                left -= 1
                if left < 0:
                    raise BudgetError("it describes more objects than a file of its size should")
                step(self)
        finally:
            self.budget.items = left
        raise ValueError("it ends before its last opcode")

    def take(self, number: int) -> bytes:
        """The next bytes."""
        if not 0 <= number <= self._size - self._at:
            raise ValueError(f"{number:,} bytes are announced, and {self._size - self._at:,} left")
        self.budget.take_bytes(number)
        found = self._data[self._at : self._at + number]
        self._at += number
        return found

    def number(self, layout: struct.Struct) -> int:
        """The next number."""
        at = self._at
        self._at = at + layout.size
        return layout.unpack_from(self._data, at)[0]

    def line(self) -> bytes:
        """What stands before the next end of a line."""
        end = self._data.find(b"\n", self._at, self._at + 10_000)
        if end < 0:
            raise ValueError("a line without an end")
        found = self.take(end - self._at)
        self._at += 1
        return found

    def since_mark(self) -> list[Any]:
        """What was put on the stack since the last mark, which is forgotten."""
        found, self.stack = self.stack, self.marked.pop()
        return found

    def remember(self, number: int) -> None:
        """Puts the last object into the memo."""
        if len(self._memo) >= self.budget.memo:
            raise BudgetError("it remembers more objects than a file of its size should")
        self._memo[number] = self.stack[-1]

    def memoize(self) -> None:
        """The same, under the next number."""
        self.remember(len(self._memo))

    def recall(self, number: int) -> None:
        """Takes an object out of the memo."""
        self.stack.append(self._memo[number])

    def mark(self) -> None:
        """What follows belongs together."""
        if len(self.marked) >= self.budget.depth:
            raise BudgetError("it is nested more deeply than tables are")
        self.marked.append(self.stack)
        self.stack = []

    def pop(self) -> None:
        """Forgets the last object, or mark."""
        if self.stack:
            self.stack.pop()
        else:
            self.since_mark()

    def gather(self, number: int) -> None:
        """Makes the last objects into a tuple."""
        if len(self.stack) < number:
            raise ValueError("a tuple of more than there is")
        self.stack[-number:] = [tuple(self.stack[-number:])]

    def extend(self, found: list[Any]) -> None:
        """Appends to the list on the stack."""
        _of_kind(list, self.stack[-1]).extend(found)

    def set_items(self, found: list[Any]) -> None:
        """Puts keys and values, alternating, into the dict on the stack."""
        keys = found[::2]
        if not all(isinstance(key, (str, int)) for key in keys):  # hashing anything else may take for ever
            raise ValueError("a dict with keys that are no words and no numbers")
        _of_kind(dict, self.stack[-1]).update(zip(keys, found[1::2], strict=True))

    def new_dict(self) -> None:
        """A dict of what stands since the mark."""
        found = self.since_mark()
        self.stack.append({})
        self.set_items(found)

    def name(self, module: Any, name: Any) -> None:
        """Looks up what the file names; the same name is looked up once."""
        key = (_of_kind(str, module), _of_kind(str, name))
        if key not in self._named:
            if len(self._named) >= _MOST_NAMES:
                raise BudgetError("it names more classes than there are in a table")
            self._named[key] = self._find_class(*key)
        self.stack.append(self._named[key])

    def call(self) -> None:
        """Calls what was named with the tuple on the stack."""
        arguments = _of_kind(tuple, self.stack.pop())
        for word in arguments:
            if type(word) in (str, bytes):
                self.budget.take_bytes(len(word))  # it may be copied
        self.stack.append(self._instance(self.stack.pop(), arguments))

    def build(self) -> None:
        """Gives the object on the stack its state."""
        state = self.stack.pop()
        self._build(self.stack[-1], state)


_MOST_NAMES = 100
_STOP = pickle.STOP[0]
_BYTE, _SHORT, _LONG, _SIGNED, _HUGE, _FLOAT = map(struct.Struct, ("<B", "<H", "<I", "<i", "<Q", ">d"))

Step = Callable[[Reader], Any]


def _of_kind(kind: type, value: Any) -> Any:
    if type(value) is not kind:
        raise ValueError(f"a {type(value).__name__} in the place of a {kind.__name__}")
    return value


def _value(value: Any) -> Step:
    return lambda reader: reader.stack.append(value)


def _read(layout: struct.Struct) -> Step:
    return lambda reader: reader.stack.append(reader.number(layout))


def _of_bytes(layout: struct.Struct, made: Callable[[bytes], Any]) -> Step:
    """Bytes that follow their number."""
    return lambda reader: reader.stack.append(made(reader.take(reader.number(layout))))


def _of_line(made: Callable[[bytes], Any]) -> Step:
    return lambda reader: reader.stack.append(made(reader.line()))


def _collected(kind: type) -> Step:
    def step(reader: Reader) -> None:
        found = kind(reader.since_mark())
        reader.stack.append(found)

    return step


def _latin1(data: bytes) -> str:
    return data.decode("latin1")


def _utf8(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")


def _long(data: bytes) -> int:
    return int.from_bytes(data, "little", signed=True)


def _integer(line: bytes) -> int:
    return {b"00": False, b"01": True}[line] if line in (b"00", b"01") else int(line)


def _quoted(line: bytes) -> str:
    if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in (b"'", b'"') or b"\\" in line:
        raise ValueError("a string without quotes, or with escapes")
    return _latin1(line[1:-1])


def _protocol(reader: Reader) -> None:
    if reader.number(_BYTE) > pickle.HIGHEST_PROTOCOL:
        raise ValueError("an unknown protocol")


def _stack_global(reader: Reader) -> None:
    module, name = reader.stack[-2:]
    del reader.stack[-2:]
    reader.name(module, name)


def _set_item(reader: Reader) -> None:
    found = reader.stack[-2:]
    del reader.stack[-2:]
    reader.set_items(found)


_KNOWN: dict[bytes, Step] = {
    pickle.PROTO: _protocol,
    pickle.FRAME: lambda reader: reader.take(8),  # what it announces is not needed
    pickle.MARK: Reader.mark,
    pickle.POP: Reader.pop,
    pickle.POP_MARK: Reader.since_mark,
    pickle.DUP: lambda reader: reader.stack.append(reader.stack[-1]),
    pickle.NONE: _value(None),
    pickle.NEWTRUE: _value(True),
    pickle.NEWFALSE: _value(False),
    pickle.INT: _of_line(_integer),
    pickle.LONG: _of_line(lambda line: int(line.rstrip(b"L"))),
    pickle.FLOAT: _of_line(float),
    pickle.STRING: _of_line(_quoted),
    pickle.UNICODE: _of_line(lambda line: line.decode("raw-unicode-escape")),
    pickle.BININT: _read(_SIGNED),
    pickle.BININT1: _read(_BYTE),
    pickle.BININT2: _read(_SHORT),
    pickle.BINFLOAT: _read(_FLOAT),
    pickle.LONG1: _of_bytes(_BYTE, _long),
    pickle.LONG4: _of_bytes(_SIGNED, _long),
    pickle.SHORT_BINSTRING: _of_bytes(_BYTE, _latin1),
    pickle.BINSTRING: _of_bytes(_SIGNED, _latin1),
    pickle.SHORT_BINUNICODE: _of_bytes(_BYTE, _utf8),
    pickle.BINUNICODE: _of_bytes(_LONG, _utf8),
    pickle.BINUNICODE8: _of_bytes(_HUGE, _utf8),
    pickle.SHORT_BINBYTES: _of_bytes(_BYTE, bytes),
    pickle.BINBYTES: _of_bytes(_LONG, bytes),
    pickle.BINBYTES8: _of_bytes(_HUGE, bytes),
    pickle.BYTEARRAY8: _of_bytes(_HUGE, bytes),
    pickle.EMPTY_LIST: lambda reader: reader.stack.append([]),
    pickle.LIST: _collected(list),
    pickle.APPEND: lambda reader: reader.extend([reader.stack.pop()]),
    pickle.APPENDS: lambda reader: reader.extend(reader.since_mark()),
    pickle.EMPTY_TUPLE: _value(()),
    pickle.TUPLE: _collected(tuple),
    pickle.TUPLE1: lambda reader: reader.gather(1),
    pickle.TUPLE2: lambda reader: reader.gather(2),
    pickle.TUPLE3: lambda reader: reader.gather(3),
    pickle.EMPTY_DICT: lambda reader: reader.stack.append({}),
    pickle.DICT: Reader.new_dict,
    pickle.SETITEM: _set_item,
    pickle.SETITEMS: lambda reader: reader.set_items(reader.since_mark()),
    pickle.GLOBAL: lambda reader: reader.name(_utf8(reader.line()), _utf8(reader.line())),
    pickle.STACK_GLOBAL: _stack_global,
    pickle.PERSID: lambda reader: reader.name("persistent", _utf8(reader.line())),
    pickle.BINPERSID: lambda reader: reader.name("persistent", "object"),
    pickle.REDUCE: Reader.call,
    pickle.NEWOBJ: Reader.call,
    pickle.BUILD: Reader.build,
    pickle.PUT: lambda reader: reader.remember(int(reader.line())),
    pickle.BINPUT: lambda reader: reader.remember(reader.number(_BYTE)),
    pickle.LONG_BINPUT: lambda reader: reader.remember(reader.number(_LONG)),
    pickle.MEMOIZE: Reader.memoize,
    pickle.GET: lambda reader: reader.recall(int(reader.line())),
    pickle.BINGET: lambda reader: reader.recall(reader.number(_BYTE)),
    pickle.LONG_BINGET: lambda reader: reader.recall(reader.number(_LONG)),
}
_STEPS = [_KNOWN.get(bytes([code])) for code in range(256)]
"""By opcode; None where tables are not made of it."""
