"""A whole project: every file by itself, then all together; what has not changed is not read again."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from experiment_tracker_tools.flags.catalogue import PATH, packages
from experiment_tracker_tools.flags.declared import Thunk, Wrapper, constants
from experiment_tracker_tools.flags.declared import thunks as thunks_in
from experiment_tracker_tools.flags.declared import wrappers as wrappers_in
from experiment_tracker_tools.flags.detect import sightings
from experiment_tracker_tools.flags.evidence import Evidence
from experiment_tracker_tools.flags.facts import Facts, restored, stored
from experiment_tracker_tools.flags.followed import Known, Pass, taken_over
from experiment_tracker_tools.flags.gate import may_hold_flags
from experiment_tracker_tools.flags.imports import names_package
from experiment_tracker_tools.flags.languages import language_of
from experiment_tracker_tools.flags.lexer import Source
from experiment_tracker_tools.flags.resolve import Event, Found, Use, declared_uses, resolved, vocabulary_of
from experiment_tracker_tools.flags.vocabulary import Vocabulary
from experiment_tracker_tools.flags.workers import facts_of_all

MANIFESTS = re.compile(
    r"(?:^|/)(?:package\.json|requirements[\w.-]*\.txt|pyproject\.toml|setup\.py|setup\.cfg|Pipfile|go\.mod|"
    r"Gemfile|pom\.xml|"
    r"build\.gradle(?:\.kts)?|composer\.json|Cargo\.toml|Package\.swift|Podfile|[\w.-]+\.csproj|mix\.exs)$"
)
Around = tuple[tuple[Wrapper, ...], tuple[Thunk, ...]]
_LANGUAGES = {"package.json": "ts", "go.mod": "go", "Gemfile": "rb", "composer.json": "php", "Cargo.toml": "rs"}


class Scanned(NamedTuple):
    """What a scan found.

    Attributes:
        uses: every line that reads, switches or declares a flag.
        events: every line that sends an event.
        vocabulary: what the files say together.
        facts: what each file says by itself, by path.
        digests: of the files with facts.
        files: how many were read.
        looked, followed: what the passes over all files together made of each, for `earlier` of the next scan.
    """

    uses: tuple[Use, ...]
    events: tuple[Event, ...]
    vocabulary: Vocabulary
    facts: Mapping[str, Facts]
    digests: Mapping[str, str]
    files: int
    looked: Pass[Around]
    followed: Pass[Found]


def scanned(
    texts: Iterable[tuple[str, str]],
    *,
    manifests: Iterable[tuple[str, str]] = (),
    wrappers: Mapping[str, int] | None = None,
    known: Mapping[str, tuple[str, Facts]] | None = None,
    around: Vocabulary = Vocabulary(),  # noqa: B008 frozen
    earlier: Scanned | None = None,
) -> Scanned:
    """Scan a project's texts.

    Args:
        texts: path and text of every file.
        manifests: path and text of the files that name packages.
        wrappers: functions that the project declares, with the key's position.
        known: digest and facts of an earlier scan, by path.
        around: what is known of the project, where the texts are a part of it.
        earlier: a scan of the same project at another commit.
    """
    vendors = _vendors(manifests) | around.vendors
    wrappers = {**around.wrappers, **(wrappers or {})}
    first = _first_pass(texts, Vocabulary(vendors=vendors, wrappers=wrappers), known or {})
    # What a file shows through others, or because of them, is not its own, so it is not stored.
    own = dict(first.facts)
    _add_constants(first)
    vocabulary = _within(around, vocabulary_of(first.facts, vendors, wrappers))
    looked = _look_through_wrappers(first, vocabulary, None if earlier is None else earlier.looked)
    if any(each.made != (each.facts.wrappers, each.facts.thunks) for each in looked.made.values()):
        vocabulary = _within(around, vocabulary_of(first.facts, vendors, wrappers))
    words = (*vocabulary.wrappers, *vocabulary.thunks)
    for path, text in first.silent.items():
        if path not in first.facts and any(word in text for word in words):
            first.kept[path], first.facts[path] = text, Facts()
    followed = _followed(first, vocabulary, None if earlier is None else earlier.followed)
    found = [each.made for each in followed.made.values()]
    uses = [use for one in found for use in one.uses]
    return Scanned(
        (*uses, *declared_uses(first.facts, uses)),
        tuple(event for one in found for event in one.events),
        vocabulary,
        own,
        first.digests,
        first.files,
        looked,
        followed,
    )


def _followed(first: "_First", vocabulary: Vocabulary, earlier: Pass[Found] | None) -> Pass[Found]:
    """Flags and events of every file, with what the project knows."""
    known, made = taken_over(earlier, vocabulary), dict[str, Known[Found]]()
    for path, one in first.facts.items():
        text = first.kept[path]
        made[path] = known(path, text, one) or Known(text, one, resolved(path, text, one, vocabulary))
    return Pass(vocabulary, made)


def _within(around: Vocabulary, own: Vocabulary) -> Vocabulary:
    """What some files say, with what is known of the project; the files have the last word."""
    return own._replace(
        keys={**around.keys, **own.keys},
        thunks={**around.thunks, **own.thunks},
        registries=around.registries | own.registries,
    )


class _First(NamedTuple):
    """What the first pass gives: facts, texts and digests of files that speak of flags, and the texts of the others."""

    facts: dict[str, Facts]
    kept: dict[str, str]
    digests: dict[str, str]
    silent: dict[str, str]
    files: int


def _first_pass(
    texts: Iterable[tuple[str, str]], vocabulary: Vocabulary, known: Mapping[str, tuple[str, Facts]]
) -> _First:
    first = _First({}, {}, {}, {}, 0)
    spoken: list[tuple[str, str]] = []
    salt = repr((sorted(vocabulary.vendors), sorted(vocabulary.wrappers.items()))).encode()
    for path, text in texts:
        first = first._replace(files=first.files + 1)
        if may_hold_flags(text):
            spoken.append((path, text))
            first.digests[path] = hashlib.blake2b(
                salt + text.encode("utf-8", "surrogatepass"), digest_size=16
            ).hexdigest()
        else:
            first.silent[path] = text
    told: dict[str, Facts | None] = {
        path: known[path][1] for path, _ in spoken if path in known and known[path][0] == first.digests[path]
    }
    fresh = [each for each in spoken if each[0] not in told]
    told.update(zip((path for path, _ in fresh), facts_of_all(fresh, vocabulary), strict=True))
    for path, text in spoken:
        one = told[path]
        if one is not None:
            first.facts[path], first.kept[path] = one, text
    return first


def _look_through_wrappers(first: _First, vocabulary: Vocabulary, earlier: Pass[Around] | None) -> Pass[Around]:
    """Find wrappers and thunks around wrappers, and give them to the files' facts."""
    known, made = taken_over(earlier, vocabulary), dict[str, Known[Around]]()
    for path, one in first.facts.items():
        text, language = first.kept[path], language_of(path)
        if language is None or not any(name in text for name in vocabulary.wrappers):
            continue
        made[path] = known(path, text, one) or Known(text, one, _around(text, language, one, vocabulary))
    for path, each in made.items():
        first.facts[path] = each.facts._replace(wrappers=each.made[0], thunks=each.made[1])
    return Pass(vocabulary, made)


def _around(text: str, language: str, facts: Facts, vocabulary: Vocabulary) -> Around:
    source = Source(text, language)
    seen = sightings(source, Evidence(source, vocabulary))
    around = tuple(sorted({*facts.wrappers, *wrappers_in(source, seen)}))
    return around, tuple(sorted({*facts.thunks, *thunks_in(source, seen)}, key=str))


def _add_constants(first: _First) -> None:
    """Look for constants that stand in keys' places in the files that told none."""
    asked = {each.what.name.rpartition(".")[2] for one in first.facts.values() for each in one.seen if each.what.name}
    held = {each.name for one in first.facts.values() for each in one.constants}
    missing = [name for name in asked - held if len(name) > 2 and not name.islower()]
    told = {path: first.kept[path] for path, one in first.facts.items() if not one.constants}
    for path, text in {**first.silent, **told}.items() if missing else ():
        if any(name in text for name in missing):
            language = language_of(path)
            found = constants(Source(text, language)) if language is not None else []
            wanted = tuple(each for each in found if each.name in missing)
            if wanted:
                one = first.facts.get(path, Facts())
                first.kept[path], first.facts[path] = text, one._replace(constants=wanted)


def _vendors(manifests: Iterable[tuple[str, str]]) -> frozenset[str]:
    found: set[str] = set()
    for path, text in manifests:
        language = _LANGUAGES.get(path.rpartition("/")[2])
        for vendor, groups in packages().items():
            listed = groups.get(language, []) if language else [each for group in groups.values() for each in group]
            if any(names_package(text, package) for package in listed):
                found.add(vendor)
    return frozenset(found)


def version() -> str:
    """What facts depend on besides the text: the catalogue and this package's own code."""
    digest = hashlib.blake2b(Path(PATH).read_bytes(), digest_size=16)
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def cache_of(found: Scanned) -> str:
    """The facts of a scan as JSON, for the next one."""
    files = {path: [found.digests[path], stored(one)] for path, one in found.facts.items() if path in found.digests}
    return json.dumps({"version": version(), "files": files}, ensure_ascii=False, separators=(",", ":"))


def cached(text: str) -> Mapping[str, tuple[str, Facts]]:
    """What an earlier scan left; empty where it was another version's or is damaged."""
    try:
        content: dict[str, Any] = json.loads(text)
        if content["version"] != version():
            return {}
        return {path: (digest, restored(one)) for path, (digest, one) in content["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def known_from(found: Scanned) -> Mapping[str, tuple[str, Facts]]:
    """What a scan leaves for one of the same project at another commit: nothing that is the same is read again."""
    return {path: (digest, found.facts[path]) for path, digest in found.digests.items() if path in found.facts}
