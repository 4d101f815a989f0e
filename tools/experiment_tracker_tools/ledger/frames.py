"""Lines of a journal: what each byte guards.

A line is one JSON object and one unit of atomicity:
`{"c":crc,"p":crc before,"o":op,"t":table,"i":id,"q":place,"a":time,"w":writer,"n":nonce,"h":hash,"k":chain,"d":{...}}`.

- `c` is the CRC-32 of every byte after its own field; `p` is the `c` of the line before. They guard bytes and order
  on disk, and compaction rewrites them.
- `h` is SHA-256 of nonce and payload; `k` is SHA-256 over the chain so far and (q, o, t, i, a, w, h). A payload and its
  nonce can go, and the chain still verifies; without the nonce, `h` says nothing about a payload that can be guessed.
- A batch is one line whose `d` lists its parts, each with its own q, n, h and k.
"""

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Literal, NamedTuple, cast, get_args
from zlib import crc32

from experiment_tracker_tools.assignment.digests import hasher

FORMAT = 3
"""Raised whenever a line, or a field of what lines hold, is new: an older version could not read it."""

START = "00000000"
Operation = Literal["i", "u", "r", "c", "x", "I", "U"]
"""Insert, update, remove, create a table, drop a table; in capitals, its payload was erased."""

_encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), check_circular=False)
_encode_ascii = json.JSONEncoder(allow_nan=False, separators=(",", ":"), check_circular=False).encode
_decode: Callable[[str], tuple[Any, int]] = json.JSONDecoder().raw_decode
_HEADER = re.compile(
    rb'\{"c":"([0-9a-f]{8})","p":"([0-9a-f]{8})","o":"([iur])","t":("(?:[^"\\]|\\.)*"),"i":(-?[0-9]+),"q":([0-9]+),'
)
_CHAIN = re.compile(rb'"k":"([0-9a-f]{64})"')
_DRAWN = 64
_GUARDED = len('{"c":"00000000",')
_OPERATION = len('{"c":"00000000","p":"00000000",')
_SINGLE = tuple(b'"o":"%b"' % op.encode() for op in get_args(Operation))


class Part(NamedTuple):
    """One operation as the journal keeps it.

    Attributes:
        op: what it does; table and id: to which document.
        place: position in the chain, 1, 2, 3, ...
        at: when, ISO 8601; by: which door.
        nonce: hex, empty once erased; digest: SHA-256 of nonce and payload; chain: the chain after it.
        payload: the document's JSON; None once erased.
    """

    op: Operation
    table: str
    id: int
    place: int
    at: str
    by: str
    nonce: str
    digest: str
    chain: str
    payload: str | None


class Order(NamedTuple):
    """An operation that is to be recorded."""

    op: Operation
    table: str
    id: int
    payload: str
    at: str
    by: str


class Record(NamedTuple):
    """What a line says, for readers.

    Attributes:
        op: what it does; table and id: to which document.
        place: position in the chain.
        at: when, ISO 8601; by: which door.
        document: empty where it was erased.
    """

    op: Operation
    table: str
    id: int
    place: int
    at: str
    by: str
    document: dict[str, Any]


def encoded(value: object) -> str:
    """A value as the JSON that is stored and hashed; a lone surrogate makes it all-ASCII.

    >>> encoded({"note": "ü", "n": 0.1})
    '{"note":"ü","n":0.1}'
    """
    text = _encoder.encode(value) if _chunks is None else "".join(_chunks(value, 0))
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return _encode_ascii(value)
    return text


def first_chain(journal: str, about: str) -> str:
    """Where a journal's chain starts, so that lines of another journal do not fit.

    >>> first_chain("j", "exp")[:8]
    'f07efe5d'
    """
    return sha256(f"{journal} {about}".encode()).hexdigest()


def linked(orders: Sequence[Order], place: int, chain: str) -> list[Part]:
    """The orders with their places, nonces, hashes and chain, from the last place and chain before them."""
    parts: list[Part] = []
    nonces = os.urandom(16 * len(orders)).hex()
    for number, order in enumerate(orders):
        op, table, id_, payload, at, by = order
        place += 1
        nonce = nonces[32 * number : 32 * number + 32]
        digest = _digest(nonce, payload)
        chain = _next_chain(chain, place, order, digest)
        parts.append(Part(op, table, id_, place, at, by, nonce, digest, chain, payload))
    return parts


def next_line(orders: Sequence[Order], place: int, chain: str, before: str) -> tuple[bytes, str, str]:
    """The line of these orders after the last place, chain and CRC; its own CRC, and the chain after it."""
    if len(orders) > 1:
        parts = linked(orders, place, chain)
        return *to_line(parts, before), parts[-1].chain
    # What `linked` and `to_line` make of one order: nearly every write is one, and waits for it with cold caches.
    op, table, id_, payload, at, by = orders[0]
    named, moment, door = _text(table), _text(at), _text(by)
    nonce, content = _fresh_nonce(), payload.encode()
    digest = hasher(nonce.encode() + content).hexdigest()
    after = hasher(f"{chain} {place + 1} {op} {named} {id_} {moment} {door} {digest}".encode()).hexdigest()
    head = (
        f'"p":"{before}","o":"{op}","t":{named},"i":{id_},"q":{place + 1},"a":{moment},"w":{door},"n":"{nonce}",'
        f'"h":"{digest}","k":"{after}","d":'
    )
    guarded = b"%b%b}" % (head.encode(), content)
    crc = f"{crc32(guarded):08x}"
    return b'{"c":"%b",%b\n' % (crc.encode(), guarded), crc, after


def digest_holds(part: Part) -> bool:
    """Whether the payload is what was hashed; an erased one cannot be told."""
    return part.payload is None or _digest(part.nonce, part.payload) == part.digest


def chain_after(part: Part, chain: str) -> str:
    """What the chain must be after this part."""
    return _next_chain(chain, part.place, part, part.digest)


def erased(part: Part) -> Part:
    """The part without payload and nonce."""
    return part._replace(op="U" if part.op == "u" else "I", nonce="", payload=None)


def to_line(parts: Sequence[Part], before: str) -> tuple[bytes, str]:
    """One line for these parts and its CRC, after the line whose CRC is `before`."""
    body = _body(parts[0]) if len(parts) == 1 else f'"o":"b","d":[{",".join(f"{{{_body(part)}}}" for part in parts)}]}}'
    return _sealed(f'"p":"{before}",{body}' if len(parts) > 1 else f'"p":"{before}",{body}}}')


def header_line(journal: str, about: str, epoch: int, writer: str = "") -> tuple[bytes, str]:
    """The first line of a journal; `writer` is the store that its first entries are of, where one said."""
    description = {"format": FORMAT, "journal": journal, "about": about, "epoch": epoch, "writer": writer}
    return _sealed(f'"p":"{START}","o":"f","d":{encoded(description)}}}')


def read_header(line: bytes) -> Mapping[str, Any] | None:
    """What the first line says, or None if its bytes are broken."""
    if line_crc(line) is None:
        return None
    parsed = json.loads(line)
    return cast("Mapping[str, Any]", parsed["d"]) if parsed.get("o") == "f" else None


def line_crc(line: bytes) -> str | None:
    """The CRC of a line without its newline, or None if any of its bytes changed.

    The header's bytes are compared, not parsed: parsing would let a flipped letter case or separator through.
    """
    crc = b"%08x" % crc32(line[_GUARDED:])
    if line[:_GUARDED] != b'{"c":"' + crc + b'",':
        return None
    return crc.decode()


def crc_before(line: bytes) -> str:
    """What a whole line says the CRC of the line before is."""
    return line[21:29].decode("ascii", "replace")


def glance(line: bytes) -> tuple[str, str, int, int] | None:
    """Operation, table, id and place of a line with one part, without parsing its payload; None for other lines."""
    found = _HEADER.match(line)
    if found is None:
        return None
    return found[3].decode(), json.loads(found[4]), int(found[5]), int(found[6])


def next_in_line(line: bytes, before: bytes) -> tuple[bytes, bytes, bytes, bytes, bytes] | None:
    """A whole line with one part that follows on the line before, raw: its CRC, operation, table, id and place.

    This is `line_crc`, `crc_before` and `glance` at once, for reading a million lines; None says: ask those.
    """
    found = _HEADER.match(line)
    if found is None:
        return None
    crc, previous, operation, table, id_, place = found.groups()
    if previous != before or crc != b"%08x" % crc32(line[_GUARDED:]):
        return None
    return crc, operation, table, id_, place


def run_of_inserts(lines: Sequence[bytes], before: str, table: bytes, id_: int, place: int) -> tuple[int, str]:
    """How many lines hold, one each, the next documents of one table behind the line before, and the last one's CRC.

    What they must begin with is told beforehand, so that a million lines are compared and not parsed.

    Args:
        lines: without their newlines.
        before: the CRC of the line before them.
        table: as JSON; id_ and place: of the first document.
    """
    crc, middle = int(before, 16), b'","o":"i","t":%b,"i":' % table
    number = 0
    for line in lines:
        own = crc32(line[_GUARDED:])
        if not line.startswith(b'{"c":"%08x","p":"%08x%b%d,"q":%d,' % (own, crc, middle, id_ + number, place + number)):
            break
        crc = own
        number += 1
    return number, f"{crc:08x}"


def last_chain(line: bytes) -> str | None:
    """The chain after a line."""
    if line.startswith(_SINGLE, _OPERATION):
        # Strings before it hold no bare quote, so that the first one is the line's own.
        found = _CHAIN.search(line)
        return found[1].decode() if found is not None else None
    parts = _fields(line)
    return str(parts[-1]["k"]) if parts else None


def read_places(line: bytes) -> tuple[list[tuple[str, str, int, int]], str | None]:
    """Operation, table, id and place of each part of a whole line, and the chain after it; a header has none."""
    parts = _fields(line)
    return [(part["o"], part["t"], part["i"], part["q"]) for part in parts], parts[-1]["k"] if parts else None


def read_parts(line: bytes) -> list[Part]:
    """The parts of a whole line; a header has none."""
    return [_part(fields) for fields in _fields(line)]


def read_records(line: bytes) -> list[Record]:
    """What a whole line says; a header says nothing here."""
    return [
        Record(part["o"], part["t"], part["i"], part["q"], part["a"], part["w"], part.get("d") or {})
        for part in _fields(line)
    ]


def moved(line: bytes, before: str) -> tuple[bytes, str]:
    """The same line after another one."""
    return _sealed(f'"p":"{before}"{line[30:].decode()}')


def _fields(line: bytes) -> Sequence[Mapping[str, Any]]:
    # Asked for every line there is, where json.loads guesses an encoding and looks for blanks as long as it parses.
    text = line.decode()
    parsed, end = _decode(text)
    if end != len(text):
        raise ValueError("a line holds more than one value")
    match parsed["o"]:
        case "f":
            return ()
        case "b":
            return cast("list[dict[str, Any]]", parsed["d"])
        case _:
            return (parsed,)


def _part(fields: Mapping[str, Any]) -> Part:
    payload = encoded(fields["d"]) if "d" in fields else None
    return Part(
        fields["o"],
        fields["t"],
        fields["i"],
        fields["q"],
        fields["a"],
        fields["w"],
        fields.get("n", ""),
        fields["h"],
        fields["k"],
        payload,
    )


def _body(part: Part) -> str:
    head = (
        f'"o":"{part.op}","t":{_text(part.table)},"i":{part.id},"q":{part.place},"a":{_text(part.at)},'
        f'"w":{_text(part.by)}'
    )
    if part.payload is None:
        return f'{head},"h":"{part.digest}","k":"{part.chain}"'
    return f'{head},"n":"{part.nonce}","h":"{part.digest}","k":"{part.chain}","d":{part.payload}'


def _sealed(rest: str) -> tuple[bytes, str]:
    guarded = rest.encode()
    crc = f"{crc32(guarded):08x}"
    return b'{"c":"%s",%s\n' % (crc.encode(), guarded), crc


def _digest(nonce: str, payload: str) -> str:
    return sha256(f"{nonce}{payload}".encode()).hexdigest()


def _next_chain(chain: str, place: int, what: Order | Part, digest: str) -> str:
    told = f"{what.op.lower()} {_text(what.table)} {what.id} {_text(what.at)} {_text(what.by)}"
    return sha256(f"{chain} {place} {told} {digest}".encode()).hexdigest()


def _fresh_nonce() -> str:
    """A nonce of those drawn in advance: asking the system for each costs a tenth of an append."""
    try:
        return _nonces.pop()
    except IndexError:
        drawn = os.urandom(16 * _DRAWN).hex()
        _nonces.extend(drawn[start : start + 32] for start in range(32, len(drawn), 32))
        return drawn[:32]


def _made_once() -> Callable[[object, int], tuple[str, ...]] | None:
    """The C encoder that JSONEncoder.encode makes anew at every call, half of its time; None where there is none."""
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return None
    plain, quote = False, json.encoder.encode_basestring
    made = make(None, _encoder.default, quote, None, ":", ",", plain, plain, plain)
    return cast("Callable[[object, int], tuple[str, ...]]", made)


_chunks = _made_once()
_nonces: list[str] = []
# A child must not use what its parent has drawn.
os.register_at_fork(after_in_child=_nonces.clear)
_text: Callable[[str], str] = json.encoder.encode_basestring_ascii
