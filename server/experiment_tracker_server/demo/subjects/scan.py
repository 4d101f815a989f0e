"""Counts the words of a text, one version: every word is looked up in a list."""

import re
import sys

WORD = re.compile(r"[A-Za-z]{2,}")


def top_words(text: str, most: int) -> "list[tuple[str, int]]":
    words: list[str] = []
    counts: list[int] = []
    for word in WORD.findall(text.lower()):
        if word in words:
            counts[words.index(word)] += 1
        else:
            words.append(word)
            counts.append(1)
    return sorted(zip(words, counts, strict=True), key=lambda pair: (-pair[1], pair[0]))[:most]


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:  # noqa: PTH123 one import less to wait for
        print(top_words(file.read(), 5))
