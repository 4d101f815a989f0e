"""Where documents are, at eight bytes each, and who is known, at sixteen: arrays that a checkpoint maps from disk."""

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b

GONE = -1
_NEAR = 4096
_NOTHING = memoryview(b"")


class Rows:
    """Offset of each document of one table, by id.

    Args:
        base: offsets of ids 1, 2, 3, ... from a checkpoint, 8 bytes each.
        far: changes of `base`, and ids that would leave too large a hole behind it.
        count: how many documents there are.
        next_id: the id of the next one; ids are never used twice.
    """

    def __init__(
        self,
        base: memoryview = _NOTHING,
        *,
        far: Mapping[int, int] | None = None,
        count: int = 0,
        next_id: int = 1,
    ) -> None:
        self._base = base.cast("q") if base.nbytes else _NOTHING
        self._tail = array("q")
        self._dense = len(self._base)
        self.far = dict(far or {})
        self.count = count
        self.next_id = next_id

    def get(self, id_: int) -> int | None:
        """The offset of a document's line, None where there is none."""
        place = id_ - 1 - len(self._base)
        if id_ in self.far:
            offset = self.far[id_]
        elif 0 <= place < len(self._tail):
            offset = self._tail[place]
        elif 0 < id_ <= len(self._base):
            offset = self._base[id_ - 1]
        else:
            return None
        return None if offset == GONE else offset

    def put(self, id_: int, offset: int) -> None:
        """Remember where a document is now."""
        # Nearly always the next one.
        if id_ == self.next_id == self._dense + len(self._tail) + 1 and not self.far:
            self._tail.append(offset)
            self.count += 1
            self.next_id = id_ + 1
            return
        self.count += self.get(id_) is None
        self.next_id = max(self.next_id, id_ + 1)
        place = id_ - 1 - len(self._base)
        if id_ in self.far or not 0 <= place <= len(self._tail) + _NEAR:
            self.far[id_] = offset
            return
        if place >= len(self._tail):
            self._tail.extend([GONE] * (place + 1 - len(self._tail)))
        self._tail[place] = offset

    def extend(self, offsets: Sequence[int]) -> None:
        """Remember where the next documents are, which have the next ids."""
        if self.far or self.next_id != self._dense + len(self._tail) + 1:
            for offset in offsets:
                self.put(self.next_id, offset)
            return
        self._tail.extend(offsets)
        self.count += len(offsets)
        self.next_id += len(offsets)

    def drop(self, id_: int) -> None:
        """Forget a document."""
        if self.get(id_) is not None:
            self.count -= 1
            self.far[id_] = GONE

    def items(self) -> Iterator[tuple[int, int]]:
        """Every id with its offset, in the order of the ids."""
        dense = len(self._base) + len(self._tail)
        for id_ in range(1, dense + 1):
            offset = self.get(id_)
            if offset is not None:
                yield id_, offset
        for id_ in sorted(id_ for id_ in self.far if not 0 < id_ <= dense):
            if self.far[id_] != GONE:
                yield id_, self.far[id_]

    def newest(self) -> int | None:
        """The highest id that is there."""
        return next((id_ for id_ in range(self.next_id - 1, 0, -1) if self.get(id_) is not None), None)

    def packed(self) -> tuple[bytes, dict[int, int]]:
        """The dense ids as bytes for a checkpoint, and the ids that are not among them."""
        dense = array("q", self._base.tobytes() + self._tail.tobytes())
        for id_, offset in self.far.items():
            if 0 < id_ <= len(dense):
                dense[id_ - 1] = offset
        return dense.tobytes(), {id_: at for id_, at in self.far.items() if not 0 < id_ <= len(dense) and at != GONE}


class Fingerprints:
    """A number by text, where the text itself is not kept: 64-bit keyed hashes, so that nobody can make two collide.

    A hit is a strong hint, not a proof; whoever acts on one compares with the document.

    Args:
        key: secret of the journal's hashes.
        hashes: sorted, from a checkpoint, 8 bytes each; numbers: in the same order.
    """

    def __init__(self, key: bytes, hashes: memoryview = _NOTHING, numbers: memoryview = _NOTHING) -> None:
        self.key = key
        self._hashes = hashes.cast("Q") if hashes.nbytes else _NOTHING
        self._numbers = numbers.cast("Q") if numbers.nbytes else _NOTHING
        self._recent: dict[int, int] = {}
        self._last = ("", self._hashed(""))

    def get(self, text: str) -> int | None:
        """The number of this text, None where it was never put."""
        hashed = self._hash(text)
        number = self._recent.get(hashed)
        if number is not None or not self._hashes:
            return number
        place = bisect_left(self._hashes, hashed)
        return self._numbers[place] if place < len(self._hashes) and self._hashes[place] == hashed else None

    def put(self, text: str, number: int) -> None:
        """Remember a number, in the place of an earlier one."""
        self._recent[self._hash(text)] = number

    def packed(self) -> tuple[bytes, bytes]:
        """Hashes and numbers as bytes for a checkpoint."""
        if not self._recent:
            return self._hashes.tobytes(), self._numbers.tobytes()
        hashes, numbers = array("Q"), array("Q")
        start = 0
        for hashed in sorted(self._recent):
            place = bisect_left(self._hashes, hashed, start)
            hashes.frombytes(self._hashes[start:place].tobytes())
            numbers.frombytes(self._numbers[start:place].tobytes())
            hashes.append(hashed)
            numbers.append(self._recent[hashed])
            start = place + (place < len(self._hashes) and self._hashes[place] == hashed)
        hashes.frombytes(self._hashes[start:].tobytes())
        numbers.frombytes(self._numbers[start:].tobytes())
        return hashes.tobytes(), numbers.tobytes()

    def _hash(self, text: str) -> int:
        # Whoever puts has mostly asked before.
        if text != self._last[0]:
            self._last = (text, self._hashed(text))
        return self._last[1]

    def _hashed(self, text: str) -> int:
        return int.from_bytes(blake2b(text.encode(), digest_size=8, key=self.key).digest(), "little")
