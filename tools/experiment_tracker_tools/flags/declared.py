"""What a file declares: constants that may hold keys, registries, wrappers around flag calls, thunks that give one."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Iterator, NamedTuple, Sequence

from experiment_tracker_tools.flags import holders, names
from experiment_tracker_tools.flags.keys import Constant
from experiment_tracker_tools.flags.lexer import Source
from experiment_tracker_tools.flags.patterns import pattern
from experiment_tracker_tools.flags.sighting import Sighting


class Wrapper(NamedTuple):
    """A function whose parameter is a flag's key: its name, the key's position, and what it belongs to."""

    name: str
    position: int
    owner: str


class Thunk(NamedTuple):
    """A function that only gives a flag."""

    name: str
    key: str | None
    reference: str | None


_MOST_CONSTANTS = 3_000
_BRACED = (
    r"\b(?:enum(?:\s+class)?|class|object|interface|namespace|module|struct|trait|const|let|var|val|static|"
    r"final)\s+([A-Za-z_]\w*)[^=]*"
    r"(?:=[^{]*)?$|(?:^|[\s,(])([A-Za-z_]\w*)[\"']?\s*(?::[\w.\[\], ]+)?\s*(?:=|:)\s*(?:[\w.]+\(\s*)?$"
)
_INDENTED = r"\n([ \t]*)(?:class|module)\s+(?:\w+::)*(\w+)[^\n]*"
_LINE = r"\n[ \t]*(?=\S)"
_FARTHEST = 200_000
_CONSTANT = (
    r"(?<![\w$.>\-\"'])([A-Za-z_$][\w$]*|(?=[\"']))(?:[ \t]*:[ \t]*[&'\w.\[\]<>? ]{1,40}(?==)|"
    r"[ \t]+[A-Za-z_][\w.]*(?=\s*=))?\s*(?:=>?|:|\()\s*"
    r"(?:(?:new\s+)?[\w.]*(?:Flag|Switch|Toggle|Feature|Experiment|Key|Symbol|freeze|Gate|flag|toggle|"
    r"feature)\w*\(\s*(?:\w+\s*[=:]\s*)?)?(?P<head>[A-Z]\w*\s*\+\s*(?=[\"']))?(?=[\"'`]|:[a-z])"
)
_ATTRIBUTE = r"#\[\w+\((?:\w+\s*=\s*)?(?=\")"
_ATTRIBUTED = r"\"?\s*\)\s*\][\s\x01]*(?:#\[[^\]\n]*\][\s\x01]*)*([A-Z]\w*)\s*[,}]"
_BODY = r"=>|\{|:[ \t]*(?:\n|$)|=(?![=>])|;|\)"
# What a function of Go gives, where it gives several values.
_RESULTS = r"\s*\([\w\s,.*\[\]]*\)(?=\s*\{)"
_BETWEEN = r"[\w\s.<>\[\]?|&'\"*,(:\-\x01]*"
_NAMED = r"([A-Za-z_$][\w$]*[?!]?)\s*(?:<[^<>()]{0,60}>)?\s*$"
_RUBY = r"(?m)\bdef\s+(?:self\.)?([a-z_]\w*[?!]?)[ \t]*\(?([^\n()]*)\)?[ \t]*$"
_KEYWORDS = frozenset(
    "val var let const static final string String public private internal readonly lateinit case export".split()
)
# What objects of every trade have: no variable of that name is meant.
_PROPERTIES = frozenset("name key id title label type value flag feature".split())
_NO_FUNCTIONS = frozenset(
    (
        "if for while switch catch when match elif until unless foreach using lock with return and or not in function "
        "async def"
    ).split()
)
_ASSIGNED = (
    r"([A-Za-z_$][\w$]*)\s*(?::[^=;{}()]*)?[=:]\s*(?:(?:React\.)?(?:useCallback|useMemo|memo|memoize|cache|"
    r"once|computed)\(\s*)?"
    r"(?:async\s*)?(?:function\s*)?\s*$"
)
# What stands before the name of a call, and never before the name of a method that is being defined.
_CALLS = (
    r"(?:\b(?:if|while|for|return|else|guard|match|in|and|or|not|case|await|new|throw|elif|yield|when|assert|"
    r"let|var|const|unless|until)"
    r"|[=(,.!&|?:+\-])$"
)
_COMPUTED = {
    "cs": r"\bbool\s+(\w+)\s*=>\s*",
    "swift": r"\bvar\s+(\w+)\s*:\s*Bool\s*\{\s*",
    "kt": r"\bval\s+(\w+)\s*(?::\s*Boolean)?\s*get\(\)\s*=\s*",
}
# Of text whose spaces are single: what stands between a function's header and the only thing that it gives.
_RETURNS = (
    r" ?(?:\{ ?)?(?:(?:\"\"\"\x01*\"\"\"|\"\x01*\"|'\x01*') ?)?"
    r"(?:return\b ?)?[(!]*(?:await |Boolean\(|bool\()?(?:[\w$]+(?:\?\.|!?\.|::|->))*"
)
_THEN_ENDS = (
    r"\s*\)?\s*(?:(?:===?|!==?|is)\s*[\w\"'\x01]+)?(?:\s*\?\?\s*\w+)?\s*\)?\s*;?\s*(?:\}|\n|$|"
    r"end\b)(?!\s*(?:[?&|.,+:]|and\b|or\b|if\b))"
)


def constants(source: Source) -> list[Constant]:
    """Names that stand for texts that can be flag keys."""
    blocks = _blocks(source)
    found: list[Constant] = []
    for match in pattern(_CONSTANT).finditer(source.code):
        name = match.group(1)
        if name in _KEYWORDS or (name and source.language in {"java", "cs"}):
            second = re.match(r"[\w$]+[ \t]+([\w$]+)", match.group())
            name = second.group(1) if second else "" if name in _KEYWORDS else name
        elif not name:
            quoted = source.string_at(match.start())
            name = quoted[0] if quoted else ""
        if name in _PROPERTIES and ":" in match.group() and source.language in {"ts", "page"}:
            continue
        value = source.string_at(match.end())
        text = value[0] if value else _symbol(source, match.end())
        if text and (head := match.group("head")) is not None:
            text = _behind(found, head) + text
        if name and text and holders.is_key(text) and not _is_call(match.group(), name):
            found.append(Constant(_container(blocks, match.start()), name, text, match.start()))
            if len(found) >= _MOST_CONSTANTS:
                break
    return [*found, *_renamed(source, blocks)]


def _renamed(source: Source, blocks: list[tuple[int, int, str]]) -> Iterator[Constant]:
    """Members of enums of Rust whose key an attribute gives: #[feature_name("new-ui")] NewUi."""
    for match in pattern(_ATTRIBUTE).finditer(source.code) if source.language == "rs" else ():
        value = source.string_at(match.end())
        member = pattern(_ATTRIBUTED).match(source.code, value[1]) if value is not None else None
        if value is not None and member is not None and holders.is_key(value[0]):
            yield Constant(_container(blocks, match.start()), member.group(1), value[0], match.start())


def _behind(found: Sequence[Constant], head: str) -> str:
    """The text that another one begins with, by the name of the constant that holds it; empty where none is known."""
    name = re.match(r"\w*", head)
    return next((each.value for each in reversed(found) if name is not None and each.name == name.group()), "")


def _is_call(declared: str, name: str) -> bool:
    """Whether a variable takes what a function gives for a text, and no key."""
    if not declared.rstrip().endswith("(") or not name[:1].islower() or " new " in declared:
        return False
    made = re.search(r"([\w.]+)\(\s*$", declared)
    # FlagKey("x") makes one; getFlag("x") does not.
    return made is None or not made.group(1).rpartition(".")[2][:1].isupper()


def members(source: Source) -> list[Constant]:
    """Members of registries: what an enum, a class or an object whose name says flags lists, with or without a text."""
    found: list[Constant] = []
    for start, end, name in _blocks(source):
        if not holders.is_registry(name):
            continue
        for match in re.finditer(
            r"(?<![\w.$\"'])(?:case\s+)?([A-Za-z_]\w*)\s*(?=[,;(=:\n}])|(?=[\"'])", source.code[start:end]
        ):
            quoted = source.string_at(start + match.start()) if match.group(1) is None else None
            if quoted is not None and _is_member(source.code, start + match.start(), quoted[1]):
                found.append(Constant(name, quoted[0], quoted[0], start + match.start()))
            elif match.group(1) and _lists(source, match.group(1), start + match.end()):
                found.append(Constant(name, match.group(1), match.group(1), start + match.start(1)))
            if len(found) >= _MOST_CONSTANTS:
                return found
    return found


def _is_member(code: str, begin: int, end: int) -> bool:
    """Whether a text is a mapping's key or an element of a list, and no value."""
    before = code[max(0, begin - 30) : begin].rstrip()[-1:]
    return (
        before not in {"=", ":", "(", ">", "+"}
        and re.match(r"\s*(?::|=>|,|\]|\}|\n)", code[end : end + 20]) is not None
    )


def _lists(source: Source, name: str, end: int) -> bool:
    follows = source.code[end : end + 2].lstrip()[:1]
    return _is_constant_like(name) and (follows != "(" or source.language in {"java", "kt"})


def wrappers(source: Source, seen: Sequence[Sighting]) -> list[Wrapper]:
    """Functions that hand their parameter on as a flag's key."""
    found: list[Wrapper] = []
    for each in seen:
        if (
            each.form in {"track", "member", "environment"}
            or not each.name
            or not re.fullmatch(r"@?[A-Za-z_]\w*", each.name)
        ):
            continue
        parameter = _looped_over(source.code, each) or each.name
        header = _enclosing(source, each.offset, parameter)
        if header is not None:
            name, parameters, _ = header
            listed = [p for p in re.split(r",(?![^<\[({]*[>\])}])", parameters) if p.strip()]
            plain = [p for p in listed if p.strip().split(":")[0].strip() not in {"self", "cls", "this", "&self"}]
            at = next(
                (i for i, p in enumerate(plain) if re.search(rf"(?<![\w$]){re.escape(parameter)}(?![\w$])", p)), None
            )
            if at is not None and not names.is_setter(name):
                found.append(Wrapper(name, at, _owner(source, each.offset)))
    return sorted(set(found))


def _looped_over(code: str, each: Sighting) -> str | None:
    """The list that a key's name runs over, where it does: for flag in flags, flags.every(flag => ...)."""
    name, near = re.escape(each.name or ""), code[max(0, each.offset - 200) : each.end + 80]
    found = re.search(
        rf"\bfor\s*\(?\s*(?:const|let|var|final|\w+)?\s*\b{name}\s*(?:in|of|:)\s+(\w+)|"
        rf"(\w+)\.(?:every|some|any|all|none|map|filter|forEach)[?]?\s*[({{]\s*\(?\|?\s*{name}\b",
        near,
    )
    return None if found is None else found.group(1) or found.group(2)


def thunks(source: Source, seen: Sequence[Sighting]) -> list[Thunk]:
    """Functions that do nothing but give one flag."""
    found: list[Thunk] = []
    for each in seen:
        if each.form == "track" or each.end <= each.offset:
            continue
        header = _computed(source, each.offset) or _enclosing(source, each.offset, None)
        if header is None:
            continue
        name, parameters, end = header
        if each.name and re.search(rf"(?<![\w$]){re.escape(each.name)}(?![\w$])", parameters):
            continue
        before = re.sub(r"\s+", " ", source.code[end : min(each.offset, end + 1_000)])
        if (
            each.offset - end > 1_000
            or not pattern(_RETURNS).fullmatch(before)
            or not pattern(_THEN_ENDS).match(source.code, each.end)
        ):
            continue
        if re.search(r"[a-z][A-Z]|_", name) and len(name) > 4 and not names.is_setter(name):
            found.append(Thunk(name, each.key, each.name))
    return sorted(set(found), key=str)


def _computed(source: Source, offset: int) -> tuple[str, str, int] | None:
    """Name and end of the header of what is computed without brackets: bool IsNew => ..., var isNew: Bool { ... }."""
    if source.language not in _COMPUTED:
        return None
    start = max(0, offset - 200)
    found = re.search(_COMPUTED[source.language] + r"(?=[^\n;{}]*$)", source.code[start:offset])
    return None if found is None else (found.group(1), "", start + found.end())


def _enclosing(source: Source, offset: int, parameter: str | None) -> tuple[str, str, int] | None:
    """Name, parameters and end of the header of the nearest function around an offset (with that parameter)."""
    code, lowest = source.code, max(0, offset - 3_000)
    best: tuple[str, str, int] | None = None
    headers = _ruby_headers(code, lowest, offset) if source.language == "rb" else _headers(code, lowest, offset)
    for name, parameters, end in headers:
        if parameter is None or re.search(rf"(?<![\w$]){re.escape(parameter)}(?![\w$])", parameters):
            best = name, parameters, end
    return best


def _ruby_headers(code: str, lowest: int, offset: int) -> Iterator[tuple[str, str, int]]:
    for match in pattern(_RUBY).finditer(code, lowest, offset):
        yield match.group(1), match.group(2), match.end()


def _headers(code: str, lowest: int, offset: int) -> Iterator[tuple[str, str, int]]:
    opened: list[int] = []
    for mark in re.finditer(r"[()]", code[lowest:offset]):
        at = lowest + mark.start()
        if mark.group() == "(":
            opened.append(at)
        elif opened:
            begin = opened.pop()
            results = pattern(_RESULTS).match(code, at + 1)
            body = pattern(_BODY).search(code, results.end() if results else at + 1, min(offset, at + 160))
            if (
                body is not None
                and body.group() not in ";)"
                and (results is not None or pattern(_BETWEEN).fullmatch(code, at + 1, body.start()))
            ):
                name = _header_name(code, lowest, begin, body.group())
                if name:
                    yield name, code[begin + 1 : at], body.end()


def _header_name(code: str, lowest: int, begin: int, body: str) -> str:
    """The name of the function whose parameters open here; empty for a condition or a call."""
    before = code[max(lowest, begin - 120) : begin]
    named = pattern(_NAMED).search(before)
    name = named.group(1) if named else ""
    if named is not None and name not in {"async", "function", "func", "fun"} and not body.rstrip().endswith("=>"):
        lead = before[: named.start()].rstrip()
        defined = re.search(r"\b(?:def|fun|fn|func|function)(?:\s*<[^<>]*>)?(?:\s*\([^()]*\)|\s+[\w.]+\.)?$", lead)
        if name in _NO_FUNCTIONS or lead.endswith("@") or (body[0] in ":=" and defined is None):
            return ""
        return "" if defined is None and pattern(_CALLS).search(lead) else name
    assigned = pattern(_ASSIGNED).search(before[: named.start()] if named else before)
    return assigned.group(1) if assigned else ""


def container_of(source: Source, offset: int) -> str:
    """The name of the innermost named block around an offset; empty outside of all."""
    return _container(_blocks(source), offset)


def _owner(source: Source, offset: int) -> str:
    owners = [name for start, end, name in _blocks(source) if start <= offset < end]
    return owners[-1] if owners else ""


def _blocks(source: Source) -> list[tuple[int, int, str]]:
    """Named containers: where their inside begins and ends; inner ones after outer ones."""
    cached = getattr(source, "blocks", None)
    if cached is None:
        cached = sorted(_found_blocks(source))
        source.blocks = cached  # type: ignore[attr-defined]
    return list(cached)


def _found_blocks(source: Source) -> Iterator[tuple[int, int, str]]:
    code = source.code
    for at, closing in _braces(code):
        low = max(0, at - 200)
        begin = max(code.rfind("\n", low, at), code.rfind(";", low, at), code.rfind("{", low, at), at - 200) + 1
        if not code[begin:at].strip():
            begin = max(code.rfind("\n", low, max(0, begin - 1)), at - 200) + 1
        match = pattern(_BRACED).search(code[begin:at])
        if match is not None:
            yield at + 1, closing, match.group(1) or match.group(2)
    if source.language in {"py", "rb"}:
        yield from _indented(code)


def _braces(code: str) -> Iterator[tuple[int, int]]:
    """Where every brace opens, and where it closes: at the end where it does not, or too far away."""
    opened: list[int] = []
    closings: dict[int, int] = {}
    for mark in re.finditer(r"[{}]", code):
        if mark.group() == "{":
            opened.append(mark.start())
            closings[mark.start()] = len(code)
        elif opened:
            opening = opened.pop()
            if mark.start() < opening + _FARTHEST:
                closings[opening] = mark.start()
    yield from closings.items()


def _indented(code: str) -> Iterator[tuple[int, int, str]]:
    """Classes and modules, up to the line that begins no further in than theirs."""
    # With a line's end in front of it every line begins with one, which is looked for fast.
    lines = "\n" + code
    found = {match.start(): match for match in pattern(_INDENTED).finditer(lines)}
    opened: list[tuple[int, int, str]] = []
    for line in pattern(_LINE).finditer(lines) if found else ():
        start, depth = line.start(), line.end() - line.start() - 1
        while opened and opened[-1][0] >= depth and opened[-1][1] < start:
            _, begin, name = opened.pop()
            yield begin, start, name
        match = found.get(start)
        if match is not None:
            opened.append((len(match.group(1)), match.end() - 1, match.group(2)))
    yield from ((begin, len(code), name) for _, begin, name in opened)


def _container(blocks: Sequence[tuple[int, int, str]], offset: int) -> str:
    at = bisect_right(blocks, (offset, 1 << 60, ""))
    for start, end, name in reversed(blocks[max(0, at - 40) : at]):
        if start <= offset < end:
            return name
    return ""


def _symbol(source: Source, at: int) -> str | None:
    found = re.match(r":([a-z_]\w*)", source.code[at : at + 120])
    return found.group(1) if found and source.language in {"rb", "ex"} else None


def _is_constant_like(name: str) -> bool:
    return (
        len(name) > 2
        and (name.isupper() or name[:1].isupper())
        and name not in {"True", "False", "None", "String", "Boolean", "Bool", "Self"}
    )
