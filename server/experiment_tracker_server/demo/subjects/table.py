"""Counts the words of a text, the other version: every word is looked up in a hash table."""

import re
import sys

WORD = re.compile(r"[A-Za-z]{2,}")


def top_words(text: str, most: int) -> "list[tuple[str, int]]":
    counts: dict[str, int] = {}
    for word in WORD.findall(text.lower()):
        counts[word] = counts.get(word, 0) + 1
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:most]


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:  # noqa: PTH123 one import less to wait for
        print(top_words(file.read(), 5))
