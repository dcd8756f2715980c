// SPDX-License-Identifier: MIT
//
// The reader against recorded answers of hjson-py 3.1.0 and Python's json module.
#include <dszero/text/reader.hpp>

#include "support/catch.hpp"
#include "support/jsonl.hpp"
#include "support/paths.hpp"

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

using namespace dszero;
using test::Recorded;

namespace {

struct Agreement {
    std::size_t texts = 0;
    std::vector<std::string> different;

    void compare(const std::string& id, const Source& source, const ReadOptions& options,
                 const Recorded& expected) {
        ++texts;
        Tree tree;
        Diagnostics problems;
        const bool ok = read(source, options, tree, problems);
        const bool right = ok == expected["ok"].yes() && ok != has_errors(problems) &&
                           (!ok || test::same({&source, &tree, &tree.value, 0}, expected["value"]));
        if (!right) different.push_back(id);
    }
};

bool there(const std::filesystem::path& path) {
    if (std::filesystem::exists(path)) return true;
    WARN(path.string() + " is not there: nothing compared");
    return false;
}

}  // namespace

TEST_CASE("conformance: every recorded text has hjson-py's verdict and value") {
    Agreement agreement;
    test::for_each_record(test::data() / "reader.jsonl.gz", [&](const Recorded& line) {
        agreement.compare(line["id"].text(), {"", line["text"].text()}, {}, line);
    });
    CHECK(agreement.texts > 5000);
    CHECK(agreement.different == std::vector<std::string>());
}

TEST_CASE("conformance: JSONTestSuite, in both dialects") {
    const std::filesystem::path suite = test::shared() / "json-suite";
    if (!there(suite)) return;
    ReadOptions json;
    json.dialect = Dialect::json;
    json.repeated_keys_refused = false;
    Agreement as_hjson;
    Agreement as_json;
    test::for_each_record(suite / "verdicts.jsonl", [&](const Recorded& line) {
        const std::string file = line["file"].text();
        const Source source{file, test::read_file(suite / "test_parsing" / file)};
        as_hjson.compare(file, source, {}, line["hjson"]);
        as_json.compare(file, source, json, line["json"]);
    });
    CHECK(as_hjson.texts == 318);
    CHECK(as_hjson.different == std::vector<std::string>());
    CHECK(as_json.different == std::vector<std::string>());
}

TEST_CASE("conformance: real configurations are read wherever DeepSpeed reads them") {
    const std::filesystem::path verdicts = test::shared() / "conformance/document-0.19.8.jsonl.gz";
    if (!there(verdicts)) return;
    std::size_t files = 0;
    std::size_t refused = 0;
    std::vector<std::string> different;
    test::for_each_record(verdicts, [&](const Recorded& line) {
        if (!line["file"] || line["world_size"].spelled() != "1") return;
        const bool readable = !line["stage_of_failure"] || line["stage_of_failure"].text() != "read";
        const std::string file = line["file"].text();
        const Source source{file, test::read_file(test::shared() / "corpus" / file)};
        Tree tree;
        Diagnostics problems;
        ++files;
        refused += !readable;
        if (read(source, {}, tree, problems) != readable || has_errors(problems) == readable)
            different.push_back(file);
    });
    CHECK(files == 652);
    CHECK(refused == 6);
    CHECK(different == std::vector<std::string>());
}
