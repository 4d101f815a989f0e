"""A scan of the other end of a range: the same as a scan of its own, and only what differs is parsed again."""

import pytest

from experiment_tracker_tools.flags import project
from experiment_tracker_tools.flags.facts import Facts
from experiment_tracker_tools.flags.project import Scanned, known_from, scanned
from experiment_tracker_tools.flags.resolve import Found, resolved
from experiment_tracker_tools.flags.vocabulary import Vocabulary

TREE = {
    "lib/flags.ts": "export function switchedOn(key: string) { return client.isFeatureEnabled(key); }\n"
    "export const NEW_UI = 'new-ui';\nexport const newSearch = () => client.isFeatureEnabled('new-search');\n",
    "lib/more.ts": "export function switchedOnFor(key: string) { return switchedOn(key); } // enabled\n",
    "web/a.ts": "if (isFeatureEnabled(NEW_UI)) { show(); }\n",
    "web/b.ts": "if (newSearch()) { show(); } // a feature\n",
    "web/c.ts": "if (switchedOnFor('old-ui')) { show(); }\n",
    "web/d.ts": "export const title = 'no flag'; // a feature\n",
}
EDITS = {
    "nothing": {},
    "a use": {"web/c.ts": "if (switchedOnFor('other-ui')) { show(); }\n"},
    "a file less": {"web/b.ts": ""},
    "a constant's text": {"lib/flags.ts": TREE["lib/flags.ts"].replace("'new-ui'", "'newer-ui'")},
    "a thunk's flag": {"lib/flags.ts": TREE["lib/flags.ts"].replace("'new-search'", "'newest-search'")},
    "a wrapper's place": {"lib/flags.ts": TREE["lib/flags.ts"].replace("(key: string)", "(who: User, key: string)")},
    "a wrapper's name": {"lib/flags.ts": TREE["lib/flags.ts"].replace("switchedOn(", "switchedOnNow(")},
    "a vendor": {"web/d.ts": "import posthog from 'posthog-js'; // a feature\nposthog.isFeatureEnabled('x-y');\n"},
}


def scan(tree: dict[str, str], earlier: Scanned | None = None) -> Scanned:
    known = known_from(earlier) if earlier is not None else None
    return scanned([each for each in tree.items() if each[1]], known=known, earlier=earlier)


@pytest.mark.parametrize("edit", sorted(EDITS))
def test_the_other_end_of_a_range_is_told_as_if_it_were_scanned_alone(edit: str) -> None:
    after, before = TREE, {**TREE, **EDITS[edit]}
    alone = scan(before)
    assert scan(before, scan(after))[:3] == alone[:3]
    assert scan(after, alone)[:3] == scan(after)[:3]


@pytest.mark.parametrize(
    ("edit", "read"),
    [
        ("nothing", set[str]()),
        ("a use", {"web/c.ts"}),
        ("a constant's text", {"lib/flags.ts", "web/a.ts"}),
        ("a thunk's flag", {"lib/flags.ts", "web/b.ts"}),
    ],
)
def test_only_what_differs_and_what_names_it_is_parsed_again(
    edit: str, read: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: set[str] = set()

    def counted(path: str, text: str, facts: Facts, vocabulary: Vocabulary) -> Found:
        parsed.add(path)
        return resolved(path, text, facts, vocabulary)

    monkeypatch.setattr(project, "resolved", counted)
    earlier = scan(TREE)
    # The first scan reads every file that speaks of flags.
    assert parsed >= {"lib/flags.ts", "web/a.ts", "web/b.ts", "web/c.ts"}
    parsed.clear()
    scan({**TREE, **EDITS[edit]}, earlier)
    assert parsed == read
