"""The project together: constants, registries, wrappers and thunks are followed; the unchanged is not read again."""

from experiment_tracker_tools.flags.project import Scanned, cache_of, cached, scanned


def scan(files: dict[str, str], **options: object) -> Scanned:
    return scanned(files.items(), **options)  # type: ignore[arg-type]


def found(files: dict[str, str], **options: object) -> set[tuple[str, str, int]]:
    return {(use.key, use.path, use.line) for use in scan(files, **options).uses if use.form != "declaration"}


def test_a_key_behind_a_constant_of_another_file_is_followed() -> None:
    files = {
        "keys.ts": "export const CHECKOUT = 'new-checkout';\n",
        "app.ts": "import { CHECKOUT } from './keys';\nif (isFeatureEnabled(CHECKOUT)) go();\n",
    }
    assert found(files) == {("new-checkout", "app.ts", 2)}


def test_members_of_enums_classes_and_objects_are_followed() -> None:
    files = {
        "flags.py": "class Flags(str, Enum):\n    NEW_UI = 'new-ui'\n    OLD_UI = 'old-ui'\n",
        "view.py": "from flags import Flags\nif flag_enabled(Flags.NEW_UI):\n    pass\n",
        "Flags.kt": 'enum class FeatureFlags(val key: String) {\n    NEW_MAP("new-map"),\n    OLD_MAP("old-map")\n}\n',
        "Map.kt": "if (featureService.isEnabled(FeatureFlags.NEW_MAP)) {\n    draw()\n}\n",
    }
    assert found(files) == {("new-ui", "view.py", 2), ("new-map", "Map.kt", 1)}


def test_constants_are_followed_into_files_that_show_nothing_else() -> None:
    files = {
        "src/names.py": 'NEW_FLOW_FLAG = "new-flow"\n',
        "src/use.py": "from names import NEW_FLOW_FLAG\nif is_feature_enabled(NEW_FLOW_FLAG):\n    pass\n",
    }
    assert found(files) == {("new-flow", "src/use.py", 2)}


def test_a_wrapper_around_a_list_of_keys_reads_each() -> None:
    files = {
        "gate.py": "def validate_flags(flags):\n    return all(is_feature_enabled(flag) for flag in flags)\n",
        "app.py": "@validate_flags(['new-a', 'new-b'])\ndef view(): ...\n",
    }
    assert found(files) == {("new-a", "app.py", 1), ("new-b", "app.py", 1)}


def test_a_constant_that_holds_a_flag_is_asked_by_its_name() -> None:
    files = {
        "toggles.py": "NEW_OUTLINE = WaffleFlag('course.new_outline', __name__)\nSAVE_BUTTON = find()\n",
        "view.py": "if NEW_OUTLINE.is_enabled() and SAVE_BUTTON.is_enabled():\n    pass\n",
    }
    assert found(files) == {("course.new_outline", "view.py", 1)}


def test_a_static_import_says_whose_constant_it_is() -> None:
    files = {
        "Features.java": "public enum Features implements Feature { SPEAKS, LISTENS }\n",
        "Hello.java": "import static a.Features.SPEAKS;\nvoid b() { if (featureManager.isActive(SPEAKS)) a(); }",
    }
    assert found(files) == {("SPEAKS", "Hello.java", 2)}


def test_a_declaration_counts_only_when_a_use_corroborates_it() -> None:
    declared = {"flags.ts": "export const FLAGS = { newUi: 'new-ui', oldUi: 'old-ui' };\n"}
    assert scan(declared).uses == ()
    used = declared | {"app.ts": "isFeatureEnabled(FLAGS.newUi);\n"}
    told = {(use.key, use.path) for use in scan(used).uses}
    assert told == {("new-ui", "app.ts"), ("new-ui", "flags.ts")}


def test_calls_of_a_wrapper_are_reads_of_the_flag() -> None:
    files = {
        "gate.ts": "export const useGate2 = (name: string) => { return client.boolVariation(name, false); };\n",
        "app.ts": "const on = useGate2('new-checkout');\n",
    }
    assert found(files) == {("new-checkout", "app.ts", 1)}


def test_a_wrapper_with_the_key_behind_the_context_is_read_at_the_right_place() -> None:
    files = {
        "gate.go": (
            "func FlagOn(ctx context.Context, key string) bool {\n\treturn client.BoolVariation(key, c, false)\n}\n"
        ),
        "app.go": 'func run() {\n\tif FlagOn(ctx, "new-checkout") {\n\t}\n}\n',
    }
    assert found(files) == {("new-checkout", "app.go", 2)}


def test_calls_of_a_function_that_only_gives_a_flag_are_reads() -> None:
    files = {
        "gate.py": 'def is_new_checkout(user):\n    """Doc."""\n    return flag_enabled("new-checkout", user)\n',
        "app.py": "if is_new_checkout(user):\n    pass\n",
    }
    assert found(files) == {("new-checkout", "gate.py", 3), ("new-checkout", "app.py", 1)}


def test_a_condition_that_names_a_flag_is_no_wrapper() -> None:
    files = {
        "a.py": "def show(value, flag):\n    if get_bool_env(value, flag):\n        client.boolean_value(flag)\n",
        "b.py": "get_bool_env('JSON_LOG', True)\n",
    }
    assert found(files) == set()


def test_what_tests_define_wraps_nothing() -> None:
    files = {
        "tests/fakes.ts": "export const allowed = (key: string) => { return client.boolVariation(key, false); };\n",
        "app.ts": "const on = allowed('new-checkout');\n",
    }
    assert found(files) == set()


def test_a_wrapper_that_the_project_declares_counts() -> None:
    files = {"app.ts": "if (shows(user, 'new-checkout')) go();\n"}
    assert found(files) == set()
    assert found(files, wrappers={"shows": 1}) == {("new-checkout", "app.ts", 1)}


def test_packages_named_in_a_manifest_are_evidence_for_every_file() -> None:
    files = {"app.ts": "const v = client.variation('new-ui', false);\n"}
    assert found(files) == set()
    manifest = [("package.json", '{"dependencies": {"@launchdarkly/node-server-sdk": "9"}}')]
    assert found(files, manifests=manifest) == {("new-ui", "app.ts", 1)}


def test_facts_that_were_stored_give_the_same_scan_and_damaged_ones_are_not_trusted() -> None:
    files = {
        "keys.ts": "export const Keys = { CHECKOUT: 'new-checkout' };\n",
        "app.ts": "if (isFeatureEnabled(Keys.CHECKOUT)) track('Done');\n",
    }
    first = scan(files)
    stored = cache_of(first)
    again = scan(files, known=cached(stored))
    assert (again.uses, again.events) == (first.uses, first.events)
    changed = files | {"app.ts": "if (isFeatureEnabled('other-flag')) track('Done');\n"}
    assert {use.key for use in scan(changed, known=cached(stored)).uses} == {"other-flag"}
    assert cached(stored[:-20]) == {}
    assert cached('{"version": "0", "files": {}}') == {}


def test_a_function_that_gives_a_flag_through_a_wrapper_is_followed() -> None:
    files = {
        "gate.ts": "export function useAppFlag(key: string) { return client.boolVariation(key, false); }\n",
        "editor.ts": "export const useNewEditor = () => useAppFlag('new-editor');\n",
        "app.ts": "const fresh = useNewEditor();\n",
    }
    wanted = {("new-editor", "editor.ts", 1), ("new-editor", "app.ts", 1)}
    assert found(files) == wanted
    assert found(files, known=cached(cache_of(scan(files)))) == wanted


def test_a_service_that_is_obtained_from_the_context_is_one() -> None:
    assert found({"a.go": 'x := featureflag.FromContext(ctx).GetBoolOr("new-search", false)\n'}) == {
        ("new-search", "a.go", 1)
    }
