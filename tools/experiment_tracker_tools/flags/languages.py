"""Which files are read, by their names."""

from __future__ import annotations

LANGUAGES = {
    "py": "py pyi",
    "ts": "ts tsx js jsx mjs cjs mts cts",
    "page": "vue svelte html htm astro ejs hbs",
    "template": "jinja jinja2 j2 djhtml erb haml slim",
    "go": "go",
    "java": "java groovy",
    "kt": "kt kts",
    "rb": "rb rake",
    "swift": "swift",
    "cs": "cs cshtml razor",
    "php": "php",
    "rs": "rs",
    "ex": "ex exs",
}
BY_EXTENSION = {extension: language for language, known in LANGUAGES.items() for extension in known.split()}


def language_of(path: str) -> str | None:
    """The language of a file by its name, or None for those that are not read.

    >>> language_of("web/App.tsx"), language_of("a.md")
    ('ts', None)
    """
    return BY_EXTENSION.get(path.rpartition(".")[2].lower()) if "." in path else None
