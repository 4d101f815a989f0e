"""One file: what is a flag, what only looks like one, and which key is asked for."""

import pytest
from benchmarks.flags_accuracy import labelled

from experiment_tracker_tools.flags.detect import sightings
from experiment_tracker_tools.flags.evidence import Evidence
from experiment_tracker_tools.flags.languages import language_of
from experiment_tracker_tools.flags.lexer import Source
from experiment_tracker_tools.flags.sighting import Sighting
from experiment_tracker_tools.flags.vocabulary import Vocabulary


def seen(code: str, language: str, vocabulary: Vocabulary | None = None) -> list[Sighting]:
    source = Source(code, language)
    return sightings(source, Evidence(source, vocabulary or Vocabulary()))


def keys(code: str, language: str) -> list[str | None]:
    return [each.key or each.name for each in seen(code, language) if each.form != "track"]


@pytest.mark.parametrize(
    ("language", "code", "key"),
    [
        ("ts", "if (isFeatureEnabled('new-ui')) { go() }", "new-ui"),
        ("ts", "const on = featureFlags.newCheckout;", "newCheckout"),
        ("ts", "const on = this.featureFlagService.isEnabled(Flags.NewUi);", "Flags.NewUi"),
        ("ts", "import { fg } from '@acme/platform-feature-flags';\nfg('new_ui') && go()", "new_ui"),
        ("page", "<a v-if=\"featureFlags.isEnabled('new-ui')\">x</a>", "new-ui"),
        ("page", '<script>if (isFeatureEnabled("new-ui")) go()</script>', "new-ui"),
        ("py", "if flag_enabled('NEW_UI', request=request):\n    pass", "NEW_UI"),
        ("py", "on = settings.FEATURES['NEW_UI']", "NEW_UI"),
        ("py", "on = settings.FEATURES.get('NEW_UI', False)", "NEW_UI"),
        ("py", "on = os.environ.get('FEATURE_NEW_UI')", "FEATURE_NEW_UI"),
        ("py", "from core.feature_flags import flag_set\nflag_set('new_ui', user=user)", "new_ui"),
        ("rb", "return unless Feature.enabled?(:new_ui, project)", "new_ui"),
        ("rb", "return unless Feature.enabled? :new_ui", "new_ui"),
        ("go", "if features.IsEnabled(ctx, featuremgmt.FlagNewUI) {}", "featuremgmt.FlagNewUI"),
        ("java", 'if (featureFlags.isEnabled("new-ui")) {}', "new-ui"),
        ("kt", "if (featureService.isEnabled(NEW_UI)) {}", "NEW_UI"),
        ("swift", "if featureFlags.isEnabled(.newUI) {}", ".newUI"),
        ("cs", "if (await _featureManager.IsEnabledAsync(nameof(FeatureFlags.NewUi))) {}", "FeatureFlags.NewUi"),
        ("php", "if ($this->featureFlags->isEnabled('new_ui')) {}", "new_ui"),
        ("rs", 'if feature_flags.is_enabled("new-ui") {}', "new-ui"),
    ],
)
def test_home_made_flags_are_found_in_every_language(language: str, code: str, key: str) -> None:
    assert keys(code, language) == [key]


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("ts", "const c = image.variation('sepia');"),
        ("ts", "if (button.isEnabled('x')) {}"),
        ("ts", "const value = config.getConfig('port');"),
        ("ts", "const layer = map.getLayer('roads');"),
        ("ts", "function isFeatureEnabled(key) {}"),
        ("ts", "setFeatureFlag('new-ui', true)"),
        ("ts", "<FeatureList name='x' />"),
        ("ts", "const n = featureFlags.length;"),
        ("py", "parser.add_argument('--feature-flag')"),
        ("py", "mlflow.get_experiment('1')"),
        ("py", "x = store.get_feature_value('price')"),
        ("py", "flags.string('name')"),
        ("py", "from mypy.nodes import get_flags\nx = get_flags(self, 'names')"),
        ("py", "url = os.environ['FEATURE_SERVICE_URL']"),
        ("py", "# if flag_enabled('NEW_UI'): pass"),
        ("py", "text = \"flag_enabled('NEW_UI')\""),
        ("go", 'cmd.Flags().String("name", "", "usage")'),
        ("go", 'port := flag.Int("port", 80, "usage")'),
        ("go", 'x := viper.GetBool("debug")'),
        ("java", 'Feature f = layer.getFeature("road");'),
        ("java", 'boolean on = button.isEnabled("x");'),
        ("rb", "option :enabled?, true"),
        ("cs", 'if (control.IsEnabled("x")) {}'),
        ("kt", 'val v = prefs.getBoolean("dark", false)'),
        ("rs", '#[cfg(feature = "std")]'),
    ],
)
def test_what_only_looks_like_a_flag_is_left_alone(language: str, code: str) -> None:
    assert keys(code, language) == []


@pytest.mark.parametrize(
    ("language", "code", "flag", "none"),
    [
        ("ts", "if (!config.features.{}) return;", "newUi", "const names = config.features.{};"),
        ("py", "if settings.features.{}:\n    pass", "new_ui", "settings.features.{} = column"),
        ("rb", "run if Settings.features.{}.enabled", "preview", "Settings.features.{}.each { |x| x }"),
        ("ts", "import {{ flags }} from './config';\nif (flags.{}) go();", "newUi", "if (flags.{}) go();"),
        ("py", "if settings.FEATURE_{}:\n    pass", "NEW_UI", "if settings.DATABASE_{}:\n    pass"),
        ("ts", "return user && enabledFeatures.includes('{}');", "new-ui", "names.includes('{}')"),
        ("ts", "const o = FEATURES.{} && go();", "newUi", "FEATURES.{}('x')"),
    ],
)
def test_a_member_of_settings_is_a_flag_where_something_hangs_on_it(
    language: str, code: str, flag: str, none: str
) -> None:
    assert [str(key).removeprefix("FEATURE_") for key in keys(code.format(flag), language)] == [flag]
    assert keys(none.replace("{}", flag), language) == []


def test_one_flags_own_record_is_no_set_of_flags() -> None:
    assert keys("const tags = featureToggle.tags; log(featureToggle.name);", "ts") == []
    assert keys("const on = featureToggle.newUi;", "ts") == ["newUi"]
    assert keys("assertThat(mapOf(AppFeatureFlags.NEW_UI to true))", "kt") == []
    assert keys('import "example.org/featureflags"\nvar seen []featureflags.Recorded', "go") == []


def test_whom_a_question_is_about_is_passed_over() -> None:
    assert keys('var on = HasFeature(user, "new-ui");', "cs") == ["new-ui"]
    assert keys("import { hasFeature } from './entitlements';\nhasFeature(user, 'crm')", "ts") == []
    assert keys('document.implementation.hasFeature("Core", "2.0")', "ts") == []
    assert keys("$this->isFeatureEnabledForTenant($user->tenant_id, 'new_ui')", "php") == ["new_ui"]
    assert keys("if features.Enabled(cfg.FeatureGates, features.NewUi) {}", "go") == ["features.NewUi"]


def test_a_longer_name_asks_only_for_a_key_in_plain_sight() -> None:
    assert keys("await service.adminIsFeatureEnabledForCity('new-ui', city)", "ts") == ["new-ui"]
    assert keys("throwIfFeatureDisabled(name); throwIfFeatureDisabled('new-ui')", "ts") == ["new-ui"]


def test_classes_and_constants_with_parts_of_their_own_are_keys() -> None:
    assert keys("use Laravel\\Pennant\\Feature; Feature::active(BlogIndex::class)", "php") == ["BlogIndex"]
    assert keys("if flag_is_active(request, Flags.NEW_UI.slug): pass", "py") == ["Flags.NEW_UI"]


@pytest.mark.parametrize(
    ("language", "code", "key"),
    [
        ("ts", "const { newUi, loading } = useFeatureFlags();", "newUi"),
        ("ts", "const { flags } = useFlags();\nconst on = flags?.newUi;", "newUi"),
        ("ts", "isFeatureFlagOn(props.place, FlagEnum.newUi)", "FlagEnum.newUi"),
        ("ts", "await evaluateFlag({ accountId, flagName: 'new_ui' })", "new_ui"),
        ("ts", "this.remoteConfigService.getBoolean('new_ui')", "new_ui"),
        ("py", "from app import feature_flags\nif feature_flags.new_ui:\n    pass", "new_ui"),
        ("py", "@feature_flag('new-ui')\ndef show(): pass", "new-ui"),
        ("py", "import ldclient\nld_client.variation(key='new-ui', context=c, default={})", "new-ui"),
        ("java", "if (featureFlagClient.boolVariation(NewUi.INSTANCE, user)) {}", "NewUi"),
        ("java", "if (_featureFlags.isNewUiEnabled()) {}", "isNewUiEnabled"),
        ("java", 'if (WorldFeatureManager.isEnabled("new_ui")) {}', "new_ui"),
        ("php", "abort_unless(config('features.new_ui'), 404);", "new_ui"),
        ("swift", 'let on = remoteConfig["new_ui"].boolValue', "new_ui"),
    ],
)
def test_shapes_of_the_projects_own_are_found(language: str, code: str, key: str) -> None:
    assert keys(code, language) == [key]


def test_the_evidence_of_an_import_decides_between_look_alikes() -> None:
    code = "const v = client.variation('new-ui', false);"
    assert keys(code, "ts") == []
    assert keys("import * as ld from '@launchdarkly/node-server-sdk';\n" + code, "ts") == ["new-ui"]


def test_the_user_that_stands_first_is_not_the_key() -> None:
    assert keys("statsig.checkGate('user-7', 'new-ui')", "ts") == ["new-ui"]
    assert keys("posthog.getFeatureFlag({ key: 'user-7', flag: 'x' })", "ts") == []
    assert keys("from waffle import flag_is_active\nflag_is_active(request, 'new_ui')", "py") == ["new_ui"]


def test_the_fallback_is_told_as_it_is_written() -> None:
    call = seen('client.boolVariation("new-ui", context, true)', "ts")[0]
    assert call.default == "true"
    assert call.kind == "boolean"


def test_what_a_receiver_was_made_from_says_whose_client_it_is() -> None:
    asks = "const v = client.variation('new-ui', false);"
    assert keys(f"const client = load();\n{asks}", "ts") == []
    assert keys(f"const client = LDClient.init();\n{asks.replace('client.', 'ldClient.')}", "ts") == ["new-ui"]
    assert keys(f"const client = createLaunchDarkly(key);\n{asks}", "ts") == ["new-ui"]
    assert keys('class A { FF4j switches; boolean b() { return switches.check("new-ui"); } }', "java") == []


def test_a_client_that_a_flag_service_made_is_asked_and_another_is_not() -> None:
    assert keys("toggler = FeatureFlagService(db)\nif toggler.is_enabled('new-ui'): pass", "py") == ["new-ui"]
    assert keys("toggler = Toggler(db)\nif toggler.is_enabled('new-ui'): pass", "py") == []
    assert keys("store = FeatureStore()\nprice = store.get_feature('price')", "py") == []


def test_members_of_the_only_set_of_flags_are_read_and_switches_are_not() -> None:
    assert keys("guard AppFeatureFlags.shared.newUi else { return }", "swift") == ["newUi"]
    assert keys("FeatureFlags.shared.newUi = true", "swift") == []
    assert keys("context.SetUsedFeature(FeatureFlags.SharedMemory);", "cs") == []


def test_springs_properties_that_switch_features_are_flags() -> None:
    code = '@ConditionalOnProperty(name = "features.new-mail.enabled", havingValue = "true")\nclass A {}'
    assert keys(code, "java") == ["features.new-mail.enabled"]
    assert keys('@Value("${features.fast:false}") boolean a; @Value("${mail.host}") String b;', "java") == [
        "features.fast"
    ]


def test_settings_of_a_deployment_are_flags_only_among_flags() -> None:
    assert keys("csp = os.environ.get('ENABLE_CSP')", "py") == []
    assert keys("const FEATURES = { signup: process.env.ENABLE_SIGNUP === '1' };", "ts") == ["ENABLE_SIGNUP"]
    assert keys("delete process.env.FEATURE_NEW_UI;", "ts") == []
    assert (
        keys("def _flag_enabled(name):\n    return os.environ.get(name) == '1'\nx = _flag_enabled('DEBUG_X')", "py")
        == []
    )


def test_what_is_taken_out_of_all_flags_is_read() -> None:
    code = "import { useFlags } from 'launchdarkly-react-client-sdk';\nconst { newUi, oldUi: old } = useFlags();"
    assert keys(code, "ts") == ["newUi", "oldUi"]
    assert keys("const { newUi } = useFlags();", "ts") == []


def test_members_of_enums_that_are_asked_are_flags_and_services_are_not() -> None:
    assert keys("if MyFeatures.NEW_MAP.isActive() {}", "java") == ["MyFeatures.NEW_MAP"]
    assert keys("if FeatureFlags.new_map.enabled?", "rb") == ["FeatureFlags.new_map"]
    assert keys('if FeatureFlags::FeatureFlag.active?("new_map")', "rb") == ["new_map"]
    assert keys("if MapperFeature.USE_ANNOTATIONS.enabledByDefault() {}", "java") == []


def test_a_key_that_is_put_together_is_no_key() -> None:
    assert keys("isFeatureEnabled(`new-${name}`)", "ts") == []
    assert keys("flag_enabled(f'new-{name}')", "py") == []
    assert keys('Feature.enabled?("new_#{name}")', "rb") == []


def test_events_are_told_with_their_names() -> None:
    found = [
        each
        for each in seen("posthog.capture('Checkout Completed'); trackEvent('clicked')", "ts")
        if each.form == "track"
    ]
    assert [(each.key, each.vendor) for each in found] == [("Checkout Completed", "posthog"), ("clicked", "home-made")]


def test_of_a_span_only_what_begins_in_it_is_told() -> None:
    """An edit is judged by what it holds: a flag elsewhere in its file is no news."""
    files = [(file, language) for file in labelled("matrix") if (language := language_of(file.path)) is not None]
    inside = 0
    for file, language in files:
        source = Source(file.text, language)
        evidence, middle = Evidence(source, Vocabulary()), len(file.text) // 2
        for span in ((0, middle), (middle, len(file.text))):
            found = [each.offset for each in sightings(source, evidence, span)]
            assert all(span[0] <= offset < span[1] for offset in found), (file.project, span)
            inside += len(found)
    assert inside > 500
