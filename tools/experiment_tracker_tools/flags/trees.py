"""Syntax trees, by ast-grep: what a flag's value decides, and which loops and functions are around it."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ast_grep_py import SgNode

Span = tuple[int, int]
_GRAMMARS = {
    "py": "python",
    "pyi": "python",
    "ts": "typescript",
    "mts": "typescript",
    "cts": "typescript",
    "tsx": "tsx",
    "js": "tsx",
    "jsx": "tsx",
    "mjs": "tsx",
    "cjs": "tsx",
    "go": "go",
    "java": "java",
    "kt": "kotlin",
    "kts": "kotlin",
    "rb": "ruby",
    "swift": "swift",
    "cs": "csharp",
    "php": "php",
    "rs": "rust",
}
_CHOICES = {
    "if_statement",
    "if_expression",
    "if",
    "ternary_expression",
    "conditional_expression",
    "conditional",
    "unless",
}
_LOOPS = {
    *(
        "for_statement",
        "for_in_statement",
        "enhanced_for_statement",
        "foreach_statement",
        "while_statement",
        "do_statement",
    ),
    *("for_expression", "while_expression", "loop_expression", "for", "while", "until", "for_each_statement"),
}
_FUNCTIONS = {
    *("function_definition", "function_declaration", "method_definition", "arrow_function", "function_expression"),
    *(
        "method_declaration",
        "func_literal",
        "function_item",
        "closure_expression",
        "method",
        "lambda",
        "lambda_expression",
    ),
    *(
        "local_function_statement",
        "lambda_literal",
        "anonymous_function",
        "constructor_declaration",
        "do_block",
        "block",
    ),
}
_ONLY_RUBY_BLOCKS = {"do_block", "block"}
_ASSIGNED = re.compile(
    r"^\s*(?:const|let|var|val|my|auto|final|bool|boolean|String|string)?\s*\$?([A-Za-z_]\w*)\b[^=\n]*?(?::=|=)(?!=)"
)
_NEVER = re.compile(r"(?<![\w.])(?:false|False)\s*(?:&&|and\b)|(?:&&|\band)\s*(?:false|False)\b")
_ALWAYS = re.compile(r"(?<![\w.=])(?:true|True)\s*(?:\|\||or\b)|(?:\|\||\bor)\s*(?:true|True)\b")


class Branching(NamedTuple):
    """A choice that a flag decides.

    Attributes:
        condition, consequence, alternative: where they stand; no alternative where there is none.
        same: both branches say the same.
        constant: true or false where the condition always is.
        shown: the condition, shortened.
    """

    condition: Span
    consequence: Span
    alternative: Span | None
    same: bool
    constant: str | None
    shown: str

    def holds(self, offset: int) -> bool:
        """Whether an offset lies in one of the branches."""
        spans = (self.consequence, self.alternative)
        return any(span is not None and span[0] <= offset < span[1] for span in spans)


class Tree:
    """One parsed file."""

    def __init__(self, root: "SgNode", *, ruby: bool) -> None:
        self._root = root
        self._functions = _FUNCTIONS if ruby else _FUNCTIONS - _ONLY_RUBY_BLOCKS

    def branching(self, offset: int) -> Branching | None:
        """The choice that the value read at an offset decides, directly or through a variable."""
        for node in self._around(offset):
            if node.kind() in _CHOICES:
                found = _branching(node)
                if found is not None and found.condition[0] <= offset < found.condition[1]:
                    return found
            if node.kind() in self._functions:
                break
        return self._through_variable(offset)

    def loop_around(self, offset: int) -> int | None:
        """The line of the loop that runs over an offset, within the same function."""
        inner: Span | None = None
        for node in self._around(offset):
            if node.kind() in self._functions:
                return None
            if node.kind() in _LOOPS and inner is not None and _is_repeated(node, inner):
                return node.range().start.line + 1
            inner = _span(node)
        return None

    def function_around(self, offset: int) -> int | None:
        """Where the innermost function around an offset begins."""
        found = next((node for node in self._around(offset) if node.kind() in self._functions), None)
        return None if found is None else found.range().start.index

    def _around(self, offset: int) -> list["SgNode"]:
        """Nodes around an offset, the innermost first."""
        path = [self._root]
        while True:
            inner = next((each for each in path[-1].children() if _span(each)[0] <= offset < _span(each)[1]), None)
            if inner is None:
                return path[::-1]
            path.append(inner)

    def _through_variable(self, offset: int) -> Branching | None:
        around = self._around(offset)
        statement = next((node for node in around if _ASSIGNED.match(node.text()) and _span(node)[0] < offset), None)
        if statement is None:
            return None
        named = _ASSIGNED.match(statement.text())
        name = named.group(1) if named else ""
        scope = next((node for node in around if node.kind() in self._functions), self._root)
        for node in _walk(scope):
            if node.kind() in _CHOICES and _span(node)[0] > offset:
                found = _branching(node)
                if found is not None and re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", found.shown):
                    return found
        return None


def tree_of(path: str, text: str) -> Tree | None:
    """Parse a file; None where there is no grammar for it."""
    grammar = _GRAMMARS.get(path.rpartition(".")[2].lower())
    if grammar is None:
        return None
    from ast_grep_py import SgRoot

    return Tree(SgRoot(text, grammar).root(), ruby=grammar == "ruby")


def _span(node: "SgNode") -> Span:
    found = node.range()
    return found.start.index, found.end.index


def _walk(node: "SgNode") -> Iterator["SgNode"]:
    for child in node.children():
        yield child
        yield from _walk(child)


def _is_repeated(loop: "SgNode", inner: Span) -> bool:
    """Whether a part of a loop runs every turn: its body or condition, not what it runs over."""
    over = loop.field("right") or loop.field("value") or loop.field("collection")
    return over is None or not _span(over)[0] <= inner[0] < _span(over)[1]


def _branching(node: "SgNode") -> Branching | None:
    condition = node.field("condition") or _part(node, 2 if node.kind() == "conditional_expression" else 0)
    consequence = node.field("consequence") or node.field("body") or _block(node, 0)
    alternative = node.field("alternative") or _block(node, 1)
    if node.kind() == "conditional_expression" and node.field("condition") is None:
        consequence, alternative = _part(node, 0), _part(node, 4)
    if condition is None or consequence is None:
        return None
    shown = " ".join(condition.text().split())
    never, always = _NEVER.search(shown), _ALWAYS.search(shown)
    return Branching(
        _span(condition),
        _span(consequence),
        None if alternative is None else _span(alternative),
        alternative is not None and _content(consequence) == _content(alternative),
        "false" if never else "true" if always else None,
        shown[:120],
    )


def _part(node: "SgNode", at: int) -> "SgNode | None":
    children = node.children()
    return children[at] if at < len(children) else None


def _block(node: "SgNode", at: int) -> "SgNode | None":
    blocks = [child for child in node.children() if child.kind() in {"statements", "control_structure_body", "block"}]
    return blocks[at] if at < len(blocks) else None


def _content(node: "SgNode") -> str:
    text = re.sub(r"^(?:else\b\s*:?|then\b)", "", node.text().strip())
    return re.sub(r"[\s{};]+", " ", text).strip()
