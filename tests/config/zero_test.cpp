// SPDX-License-Identifier: MIT
#include <dszero/config/document.hpp>
#include <dszero/config/effective.hpp>
#include <dszero/config/format.hpp>
#include <dszero/config/json.hpp>
#include <dszero/config/json_schema.hpp>
#include <dszero/config/markdown.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <string>
#include <string_view>

using namespace dszero;

namespace {

/// Judges the section zero_optimization of a document alone.
Document parse_zero(std::string text, LoadOptions options = {}) {
    options.scope = Scope::zero_section;
    return parse(std::move(text), options);
}

/// A document with this zero section.
Document zero(const std::string& members, Release release = newest_release) {
    LoadOptions options;
    options.release = release;
    return parse_zero("{\"zero_optimization\": {" + members + "}}", options);
}

const Diagnostic& only(const Document& document) {
    REQUIRE(document.diagnostics.size() == 1);
    return document.diagnostics.front();
}

bool has(const Document& document, Severity severity, std::string_view pointer) {
    return std::any_of(document.diagnostics.begin(), document.diagnostics.end(),
                       [&](const Diagnostic& d) { return d.severity == severity && d.pointer == pointer; });
}

/// The text with the diagnostic's replacement made.
std::string mended(const Document& document, const Diagnostic& d) {
    REQUIRE(d.replacement.has_value());
    std::string text = document.source.text;
    const Span span = d.replacement->span;
    return text.replace(span.begin, span.end - span.begin, d.replacement->text);
}

constexpr std::size_t rows_of(const Section& s) { return s.rows.size(); }

}  // namespace

TEST_CASE("rows: every member has one") {
    // a structured binding takes exactly as many names as there are members
    {
        const DeepSpeedZeroConfig config;
        const auto& [a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, b0, b1, b2, b3, b4, b5, b6, b7, b8, b9, c0, c1,
                     c2, c3, c4, c5, c6, c7, c8, c9, d0, d1, d2, d3, d4, d5, d6, d7, d8, d9, e0, e1, e2, e3,
                     e4, e5] = config;
        CHECK(&a0 == &config.stage);
        CHECK(&e5 == &config.leaf_module);
        STATIC_REQUIRE(rows_of(section<DeepSpeedZeroConfig>) == 46);
    }
    {
        const DeepSpeedZeroOffloadParamConfig config;
        const auto& [a0, a1, a2, a3, a4, a5] = config;
        CHECK(&a5 == &config.pin_memory);
        STATIC_REQUIRE(rows_of(section<DeepSpeedZeroOffloadParamConfig>) == 6);
    }
    {
        const DeepSpeedZeroOffloadOptimizerConfig config;
        const auto& [a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, b0] = config;
        CHECK(&b0 == &config.pipeline);
        STATIC_REQUIRE(rows_of(section<DeepSpeedZeroOffloadOptimizerConfig>) == 11);
    }
    {
        const ZenFlowConfig config;
        const auto& [a0, a1, a2, a3, a4, a5, a6, a7, a8, a9] = config;
        CHECK(&a9 == &config.steps_per_epoch);
        STATIC_REQUIRE(rows_of(section<ZenFlowConfig>) == 10);
    }
    {
        const DeepSpeedZeroLeafModuleConfig config;
        const auto& [a0, a1, a2] = config;
        CHECK(&a2 == &config.name_suffixes);
        STATIC_REQUIRE(rows_of(section<DeepSpeedZeroLeafModuleConfig>) == 3);
    }
}

TEST_CASE("rows: each has a sentence of documentation") {
    for (const Place& place : zero_places())
        for (const Row& row : place.section->rows) {
            INFO(row.name);
            CHECK(row.doc.ends_with('.'));
            CHECK(row.doc.size() > 10);
        }
}

TEST_CASE("ZeroStageEnum: max_stage is the last stage") {
    CHECK(ZeroStageEnum::max_stage == ZeroStageEnum::weights);
}

TEST_CASE("zero_optimization: a document without it gives DeepSpeed's defaults") {
    const Document document = parse_zero("{}");
    REQUIRE(document.accepted());
    DeepSpeedZeroConfig defaults;
    defaults.overlap_comm = false;
    CHECK(document.value().zero_config == defaults);
}

TEST_CASE("overlap_comm: follows the stage unless it is given") {
    CHECK(zero("\"stage\": 3").value().zero_config.overlap_comm == true);
    CHECK(zero("\"stage\": 2").value().zero_config.overlap_comm == false);
    CHECK(zero("\"stage\": 3, \"overlap_comm\": false").value().zero_config.overlap_comm == false);
}

TEST_CASE("pin_memory: its default is the release's own") {
    const std::string section = "\"offload_param\": {}";
    CHECK(zero(section, "0.19.4").value().zero_config.offload_param->pin_memory == false);
    CHECK(zero(section, "0.19.5").value().zero_config.offload_param->pin_memory == true);
}

TEST_CASE("diagnostics: a value out of bounds is reported at its line") {
    const Document document =
        parse_zero("{\n  \"zero_optimization\": {\n    \"reduce_bucket_size\": -1\n  }\n}\n");
    CHECK_FALSE(document.accepted());
    const Diagnostic& d = only(document);
    CHECK(d.severity == Severity::error);
    CHECK(d.code == "out-of-bounds");
    CHECK(d.pointer == "/zero_optimization/reduce_bucket_size");
    CHECK(d.message == "reduce_bucket_size must be greater than 0, got -1");
    CHECK(d.range.begin.line == 3);
    CHECK(d.range.begin.column == 27);
    CHECK(d.range.end.column == 29);
    CHECK_THROWS_AS(document.value(), ConfigError);
}

TEST_CASE("diagnostics: all problems at once, in document order") {
    const Document document =
        zero("\"bogus\": 1, \"stage\": 9, \"offload_param\": {\"device\": \"x\"}, \"cpu_offload\": 7");
    REQUIRE(document.diagnostics.size() == 4);
    CHECK(document.diagnostics[0].pointer == "/zero_optimization/bogus");
    CHECK(document.diagnostics[1].pointer == "/zero_optimization/stage");
    CHECK(document.diagnostics[2].pointer == "/zero_optimization/offload_param/device");
    CHECK(document.diagnostics[3].pointer == "/zero_optimization/cpu_offload");
}

TEST_CASE("diagnostics: a check across fields that DeepSpeed would not reach is a warning") {
    const std::string section = "\"stage\": 1, \"offload_optimizer\": {\"ratio\": 0.5}";
    const Document alone = zero(section);
    CHECK(only(alone).severity == Severity::error);
    CHECK(only(alone).pointer == "/zero_optimization");

    const Document hidden = zero(section + ", \"bogus\": 1");
    CHECK(has(hidden, Severity::error, "/zero_optimization/bogus"));
    CHECK(has(hidden, Severity::warning, "/zero_optimization"));
    CHECK_FALSE(has(hidden, Severity::error, "/zero_optimization"));
}

TEST_CASE("unknown keys: a misspelling gets the nearest key, and the replacement that mends it") {
    for (const char* key : {"overlap_com", "Overlap_Comm", "overlap-comm", "overlpa_comm"}) {
        const Document document = zero('"' + std::string(key) + "\": true");
        CHECK(only(document).code == "unknown-key");
        CHECK(mended(document, only(document)) == "{\"zero_optimization\": {\"overlap_comm\": true}}");
    }
    CHECK(only(zero("\"something_else\": 1")).hint.empty());
}

TEST_CASE("unknown keys: a key of another section is sent there") {
    CHECK(only(zero("\"gradient_clipping\": 1.0")).hint == "it belongs at the top level of the document");
    CHECK(only(zero("\"nvme_path\": \"/x\"")).hint ==
          "it belongs in zero_optimization.offload_param or in zero_optimization.offload_optimizer");
    CHECK(only(zero("\"offload_optimizer\": {\"buffer_size\": 5}")).hint ==
          "it belongs in zero_optimization.offload_param");

    const Document beside =
        parse_zero("{\"zero_optimization\": {\"stage\": 2}, \"offload_optimizer\": {\"device\": \"cpu\"}}");
    CHECK(beside.accepted());
    CHECK(only(beside).severity == Severity::warning);
    CHECK(only(beside).hint == "it belongs in zero_optimization");
}

TEST_CASE("unknown keys: the section's own name misspelt is noticed") {
    const Document document = parse_zero("{\"zero_optimisation\": {\"stage\": 3}}");
    CHECK(document.accepted());
    CHECK(only(document).hint == "did you mean \"zero_optimization\"?");
}

TEST_CASE("unknown keys: of a newer or an older release, with the release that has them") {
    const Document newer = zero("\"zero_hpz_partition_size\": 8", "0.9.5");
    CHECK(only(newer).code == "newer-key");
    CHECK_THAT(only(newer).message, Catch::Matchers::Contains("since 0.10.0; the target is 0.9.5"));
    const Document older = zero("\"mics_shard_size\": 8");
    CHECK(only(older).code == "removed-key");
    CHECK_THAT(only(older).message, Catch::Matchers::Contains("0.19.7"));
}

TEST_CASE("deprecated keys: the exact rewrite keeps DeepSpeed's values") {
    for (const char* section :
         {"\"cpu_offload\": true", "\"cpu_offload\": false", "\"cpu_offload_param\": \"yes\"",
          "\"stage3_gather_fp16_weights_on_model_save\": true"}) {
        for (Release release : {Release("0.9.5"), Release("0.14.5"), newest_release}) {
            const Document document = zero(section, release);
            REQUIRE(document.accepted());
            LoadOptions options;
            options.release = release;
            const Document again = parse_zero(mended(document, only(document)), options);
            REQUIRE(again.accepted());
            CHECK(again.diagnostics.empty());
            CHECK(again.value() == document.value());
        }
    }
}

TEST_CASE("deprecated boolean: the rewrite keeps DeepSpeed's values") {
    for (const char* text : {"{\"zero_optimization\": true}", "{\"zero_optimization\": false}",
                             "{\"zero_optimization\": true, \"allgather_size\": 1e6}"}) {
        const Document document = parse_zero(text);
        REQUIRE(document.accepted());
        CHECK(document.warnings == std::vector<std::string>{"deprecated_boolean_format"});
        const Document again = parse_zero(mended(document, only(document)));
        CHECK(again.warnings.empty());
        CHECK(again.value() == document.value());
    }
}

TEST_CASE("fractions: refused from 0.15.0 with the integer to write, cut off before") {
    const Document refused = zero("\"reduce_bucket_size\": 15099494.4");
    CHECK(only(refused).code == "fraction");
    CHECK(parse_zero(mended(refused, only(refused))).value().zero_config.reduce_bucket_size == 15099494);
    const Document cut = zero("\"reduce_bucket_size\": 15099494.4", "0.14.5");
    CHECK(cut.value().zero_config.reduce_bucket_size == 15099494);
    CHECK(only(cut).severity == Severity::warning);
}

TEST_CASE("integers: beyond 64 bits are saturated, with a note") {
    const Document document = zero("\"reduce_bucket_size\": 1000000000000000000000000000000");
    CHECK(document.value().zero_config.reduce_bucket_size == std::numeric_limits<std::int64_t>::max());
    CHECK(only(document).severity == Severity::note);
    CHECK(only(document).code == "saturated");
}

TEST_CASE("integers in strings: pydantic 2 has its own idea of leading zeros") {
    // asked of pydantic 2.14.3 with pydantic-core 2.50.4
    const auto bucket = [](const std::string& text) {
        return zero("\"reduce_bucket_size\": \"" + text + '"');
    };
    CHECK(bucket("0__5").value().zero_config.reduce_bucket_size == 5);
    CHECK(bucket("00_5").value().zero_config.reduce_bucket_size == 5);
    CHECK(zero("\"stage3_module_granularity_threshold\": \"0_-5\"")
              .value()
              .zero_config.module_granularity_threshold == -5);
    for (const char* text : {"5__0", "0_-05", "0_", "_5", "+-5", "0_+5", "5-0"})
        CHECK_FALSE(bucket(text).accepted());
    CHECK_FALSE(zero("\"reduce_bucket_size\": \"0__5\"", "0.14.5").accepted());
}

TEST_CASE("numbers in strings: which blanks around them count") {
    // asked of pydantic 1.10.27 and 2.14.3
    const auto bucket = [](const std::string& text, Release release) {
        return zero("\"reduce_bucket_size\": \"" + text + '"', release).accepted();
    };
    const auto ratio = [](const std::string& text, Release release) {
        return zero("\"stage\": 3, \"offload_optimizer\": {\"ratio\": \"" + text + "\"}", release).accepted();
    };
    for (Release release : {Release("0.14.5"), newest_release}) {
        CHECK(bucket("\\u00a05\\u2003", release));
        CHECK_FALSE(bucket("5\\u001f", release));
        CHECK(ratio(" 0.5\\t", release));
        CHECK_FALSE(ratio("\\u001c0.5", release));
    }
    CHECK(ratio(" 0.2_5", "0.14.5"));
    CHECK_FALSE(ratio(" 0.2_5", newest_release));  // underscores or blanks
    CHECK(ratio("._5", newest_release));
}

TEST_CASE("LoadOptions: a newer release is read as the newest, with a note; an older one is refused") {
    LoadOptions options;
    options.release = Release(99, 0, 0);
    const Document document = parse_zero("{}", options);
    CHECK(document.accepted());
    CHECK(document.release == newest_release);
    CHECK(only(document).severity == Severity::note);
    options.release = Release(0, 6, 7);
    CHECK_THROWS_AS(parse_zero("{}", options), std::invalid_argument);
}

TEST_CASE("LoadOptions: releases before 0.8.1 read strict JSON") {
    const std::string text = "{zero_optimization: {stage: 1}, // c\n}";
    CHECK(parse_zero(text).accepted());
    LoadOptions options;
    options.release = "0.8.0";
    CHECK_FALSE(parse_zero(text, options).accepted());
}

TEST_CASE("LoadOptions: Accelerate's reader takes what Hjson does not, and the other way round") {
    LoadOptions accelerate;
    accelerate.dialect = Dialect::json;
    CHECK_FALSE(parse_zero("{\"a\": 1,}", accelerate).accepted());
    CHECK(parse_zero("{\"a\": 1,}").accepted());
    CHECK(parse_zero("{\"a\": NaN}", accelerate).accepted());
    CHECK_FALSE(parse_zero("{\"a\": NaN}").accepted());
    const std::string repeated =
        "{\"zero_optimization\": {\"stage\": 1}, \"zero_optimization\": {\"stage\": 2}}";
    CHECK_FALSE(parse_zero(repeated).accepted());
    CHECK(parse_zero(repeated, accelerate).value().zero_config.stage == ZeroStageEnum::gradients);
}

TEST_CASE("parse: repeated keys do not hide what else is wrong") {
    const Document document =
        parse_zero("{\"zero_optimization\": {\"stage\": 9, \"bogus\": 1}, \"a\": 1, \"a\": 2}");
    CHECK_FALSE(document.accepted());
    CHECK(has(document, Severity::error, ""));
    CHECK(has(document, Severity::warning, "/zero_optimization/stage"));
    CHECK(has(document, Severity::warning, "/zero_optimization/bogus"));
}

TEST_CASE("parse: a document beyond 64 MiB is refused") {
    const Document document = parse_zero(std::string((64u << 20) + 1, ' '));
    CHECK_FALSE(document.accepted());
    CHECK(only(document).code == "too-large");
}

TEST_CASE("effective_fields: every value with its origin") {
    const Document document = parse_zero(
        "{\n\"zero_optimization\": {\n\"stage\": 3,\n\"cpu_offload\": true,\n\"stage3_max_live_parameters\": "
        "5e8\n}}");
    const auto fields = effective_fields(document);
    const auto field = [&](std::string_view path) {
        const auto found = std::find_if(fields.begin(), fields.end(),
                                        [&](const EffectiveField& f) { return f.path == path; });
        REQUIRE(found != fields.end());
        return *found;
    };
    CHECK(field("stage").origin == OriginKind::file);
    CHECK(field("stage").range.begin.line == 3);
    CHECK(field("overlap_comm").origin == OriginKind::derived);
    CHECK(field("reduce_scatter").origin == OriginKind::default_value);
    CHECK(field("max_live_parameters").key == "stage3_max_live_parameters");
    CHECK(field("max_live_parameters").shown == "500,000,000");
    CHECK(field("model_persistence_threshold").shown == "sys.maxsize");
    CHECK(field("offload_optimizer").origin == OriginKind::deprecated_key);
    CHECK(field("offload_optimizer.device").key == "cpu_offload");
    CHECK(field("offload_optimizer.device").range.begin.line == 4);
    CHECK(field("offload_optimizer.pipeline").origin == OriginKind::derived);
    CHECK(std::none_of(fields.begin(), fields.end(),
                       [](const EffectiveField& f) { return f.name == "cpu_offload"; }));
}

TEST_CASE("with_separators: thousands, as pp_int prints them") {
    CHECK(with_separators(0) == "0");
    CHECK(with_separators(999) == "999");
    CHECK(with_separators(1000) == "1,000");
    CHECK(with_separators(-1234567) == "-1,234,567");
    CHECK(with_separators(std::numeric_limits<std::int64_t>::min()) == "-9,223,372,036,854,775,808");
}

TEST_CASE("zero_format: names each key of the release, and only those") {
    for (Release release : releases()) {
        const std::string text = zero_format(release);
        for (const Row& row : section<DeepSpeedZeroConfig>.rows) {
            INFO(release.str() + ' ' + std::string(row.name));
            CHECK((text.find('"' + std::string(row.key()) + "\":") != std::string::npos) ==
                  row.known_to(release));
        }
    }
    CHECK_THAT(zero_format("0.19.4"),
               Catch::Matchers::Contains("\"pin_memory\": [true|false],  // default false"));
    CHECK_THAT(zero_format("0.19.5"),
               Catch::Matchers::Contains("\"pin_memory\": [true|false],  // default true"));
    CHECK_THAT(
        zero_format("0.19.5"),
        Catch::Matchers::Contains("\"reduce_bucket_size\": integer,  // default 500000000; at least 0"));
    CHECK_THAT(zero_format("0.19.6"),
               Catch::Matchers::Contains("default 500000000; greater than 0; elements."));
}

TEST_CASE("JSON Schema and Markdown: every release's keys are there, and no others") {
    for (const Release release : releases()) {
        const Json schema = json_schema(release);
        const std::string reference = markdown(release);
        const Json& properties = schema["properties"]["zero_optimization"]["anyOf"][0]["anyOf"][0]["properties"];
        for (const Row& row : section<DeepSpeedZeroConfig>.rows) {
            INFO(release.str() << ' ' << row.name);
            const bool expected = row.is_key && row.known_to(release);
            CHECK(properties.contains(row.name) == expected);
            CHECK(properties.contains(row.key()) == expected);
            CHECK((reference.find("\n| `" + std::string(row.key()) + "` |") != std::string::npos) ==
                  expected);
        }
    }
}
