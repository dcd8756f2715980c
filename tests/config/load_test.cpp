// SPDX-License-Identifier: MIT
#include <dszero/config/document.hpp>
#include <dszero/text/base64.hpp>

#include "support/catch.hpp"

#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

using namespace dszero;

namespace {

/// A file that goes away with its test.
class TemporaryFile {
public:
    explicit TemporaryFile(const std::string& text)
        : path_(std::filesystem::temp_directory_path() /
                ("dszero_load_test_" + std::to_string(std::rand()) + ".json")) {
        std::ofstream(path_, std::ios::binary) << text;
    }
    ~TemporaryFile() { std::filesystem::remove(path_); }
    std::string path() const { return path_.string(); }

private:
    std::filesystem::path path_;
};

std::error_code failure(const std::string& path, std::string& what) {
    try {
        load(path);
    } catch (const std::system_error& error) {
        what = error.what();
        return error.code();
    }
    return {};
}

}  // namespace

TEST_CASE("load: a missing file, a directory and a file without permission are told apart") {
    std::string what;
    CHECK(failure("no/such/ds_config.json", what) == std::errc::no_such_file_or_directory);
    CHECK_THAT(what, Catch::Matchers::Contains("file not found: no/such/ds_config.json"));
    CHECK(failure(".", what) == std::errc::is_a_directory);
    CHECK_THAT(what, Catch::Matchers::Contains("cannot read ."));
}

TEST_CASE("load: the path names the source, and problems point into the file") {
    const TemporaryFile file("{\r\n\"zero_optimization\": {\r\n\"stage\": 9}, \"train_batch_size\": 1}");
    const Document document = load(file.path());
    CHECK(document.source.name == file.path());
    REQUIRE(document.diagnostics.size() == 1);
    CHECK(document.diagnostics[0].range.begin.line == 3);
    CHECK(document.diagnostics[0].range.begin.column == 10);
    CHECK_THAT(render_text(document.source, document.diagnostics),
               Catch::Matchers::Contains(file.path() + ":3:10: error:"));
}

TEST_CASE("load: an empty file is an empty document for Hjson, none for JSON") {
    const TemporaryFile file("");
    LoadOptions options;
    options.scope = Scope::zero_section;
    CHECK(load(file.path(), options).accepted());
    CHECK_FALSE(load(file.path(), options).diagnostics.empty());
    options.release = "0.8.0";
    CHECK_FALSE(load(file.path(), options).accepted());
}

TEST_CASE("parse_base64: what DeepSpeed takes instead of a path") {
    LoadOptions options;
    options.scope = Scope::zero_section;
    // {"zero_optimization": {"stage": 2}}
    const Document document = parse_base64("eyJ6ZXJvX29wdGltaXphdGlvbiI6IHsic3RhZ2UiOiAyfX0=", options);
    REQUIRE(document.accepted());
    CHECK(document.value().zero_config.stage == ZeroStageEnum::gradients);
    CHECK_FALSE(parse_base64("eyJ6ZXJvX29wdGltaXphdGlvbiI6IHsic3RhZ2UiOiAyfX0").accepted());
    // {"a": 1, "a": 2}: no hook refuses repeated keys there
    CHECK(parse_base64("eyJhIjogMSwgImEiOiAyfQ==", options).accepted());
}

TEST_CASE("decode_base64: as Python's urlsafe_b64decode") {
    CHECK(decode_base64("") == "");
    CHECK(decode_base64("Zg==") == "f");
    CHECK(decode_base64("Zm8=") == "fo");
    CHECK(decode_base64("Zm9v") == "foo");
    CHECK(decode_base64("Zm 9\nv!") == "foo");  // characters of neither alphabet are passed over
    CHECK(decode_base64("-_-_") == decode_base64("+/+/"));
    CHECK(decode_base64("Zg==Zm9v") == "f");  // nothing counts behind the padding
    CHECK(decode_base64("Zg=") == std::nullopt);
    CHECK(decode_base64("Z") == std::nullopt);
    CHECK(decode_base64("\xC3\xA9===") == std::nullopt);
}
