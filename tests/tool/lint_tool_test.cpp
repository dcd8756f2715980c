// SPDX-License-Identifier: MIT
//
// dszero check with lint, in its formats; dszero rules and dszero explain.
#include "support/catch.hpp"
#include "tool/process.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

using tool_test::Folder;
using tool_test::Result;
using tool_test::run;

namespace {

const std::string warned =
    R"({"train_batch_size": 8, "zero_optimization": {"stage": 2, "offload_param": {"device": "cpu"}}})";
const std::string clean = R"({"train_batch_size": 8, "zero_optimization": {"stage": 2}})";
const std::string refused = R"({"train_batch_size": 8, "zero_optimization": {"stage": 9}})";

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("check: lint is shown behind the verdict and does not change it") {
    const Folder folder;
    const Result result = run({"check", folder.file("a.json", warned)});
    CHECK(result.status == 0);
    CHECK(contains(result.out, "warning: offload_param has no effect at stage 2"));
    CHECK(contains(result.out, "accepted by DeepSpeed 0.19.8 (1 warning)"));
}

TEST_CASE("check --strict: warnings fail, notes do not") {
    const Folder folder;
    CHECK(run({"check", "--strict", folder.file("a.json", warned)}).status == 1);
    const std::string noted = R"({"train_batch_size": 8, "zero_optimization": {"stage": 3}})";
    CHECK(run({"check", "--strict", folder.file("b.json", noted)}).status == 0);
}

TEST_CASE("check: a code's severity can be set") {
    const Folder folder;
    const std::string file = folder.file("a.json", warned);
    const Result error = run({"check", "--error", "no-effect-at-stage", file});
    CHECK(error.status == 1);
    CHECK(contains(error.out, "error: offload_param"));
    const Result ignored = run({"check", "--strict", "--ignore", "no-effect-at-stage", file});
    CHECK(ignored.status == 0);
    CHECK_FALSE(contains(ignored.out, "offload_param"));
    const std::string noted = R"({"train_batch_size": 8, "zero_optimization": {"stage": 3}})";
    CHECK(run({"check", "--strict", "--warn", "checkpoint-without-weights", folder.file("b.json", noted)})
              .status == 1);
    const Result unknown = run({"check", "--ignore", "no-such-code", file});
    CHECK(unknown.status == 2);
    CHECK(contains(unknown.err, "no-such-code"));
}

TEST_CASE("check: what DeepSpeed refuses cannot be ignored") {
    const Folder folder;
    CHECK(run({"check", "--ignore", "wrong-type", folder.file("a.json", refused)}).status == 1);
}

TEST_CASE("check FOLDER: its configurations are checked, other JSON is skipped aloud") {
    const Folder folder;
    std::filesystem::create_directories(folder.path() / "deep" / "er");
    folder.file("a.json", clean);
    folder.file("deep/er/b.json", refused);
    folder.file("package.json", R"({"name": "x", "version": "1.0.0"})");
    folder.file("list.json", "[1, 2]");
    folder.file("notes.txt", refused);
    const Result result = run({"check", folder.path().string()});
    CHECK(result.status == 1);
    CHECK(contains(result.out, "a.json: accepted"));
    CHECK(contains(result.out, "b.json: refused"));
    CHECK(contains(result.err, "package.json: skipped, no ds_config"));
    CHECK(contains(result.err, "list.json: skipped, no ds_config"));
    CHECK_FALSE(contains(result.out + result.err, "notes.txt"));
    // one that is named is judged, whatever it is
    CHECK(contains(run({"check", (folder.path() / "package.json").string()}).out, "package.json: "));
}

TEST_CASE("every command passes over other JSON in a folder, and changes none of it") {
    const Folder folder;
    const std::string other = R"({"overlap_comm": true})";  // what fix --unsafe would move
    folder.file("a.json", clean);
    folder.file("package.json", other);
    for (const std::vector<std::string>& call : {std::vector<std::string>{"check", "--deepspeed", "all"},
                                                 {"check", "--deepspeed", "all", "--format", "json"},
                                                 {"show"},
                                                 {"fix", "--unsafe", "--write"},
                                                 {"resolve", "--write"}}) {
        std::vector<std::string> with_folder = call;
        with_folder.push_back(folder.path().string());
        INFO(call[0]);
        const Result result = run(with_folder);
        CHECK(result.status == 0);
        const std::string note = "package.json: skipped, no ds_config\n";
        CHECK(result.err.find(note) == result.err.rfind(note));  // once
        CHECK(contains(result.err, note));
        CHECK_FALSE(contains(result.out, "package.json"));
    }
    CHECK(tool_test::contents(folder.path() / "package.json") == other);
}

TEST_CASE("check FOLDER: what cannot be looked into is an error, and the rest is checked") {
    const Folder folder;
    std::filesystem::create_directories(folder.path() / "a");
    folder.file("z.json", clean);
    folder.file("a/b.json", clean);
    std::filesystem::create_directory_symlink("..", folder.path() / "a" / "up");
    std::filesystem::create_symlink("nowhere", folder.path() / "dangling.json");
    std::filesystem::create_symlink("loop.json", folder.path() / "loop.json");
    const Result result = run({"check", folder.path().string()});
    CHECK(result.status == 0);
    CHECK(contains(result.out, "a/b.json: accepted"));
    CHECK(contains(result.out, "z.json: accepted"));
    CHECK_FALSE(contains(result.out, "up/"));
    if (geteuid() == 0) return;  // root may read everything
    std::filesystem::permissions(folder.path() / "a", std::filesystem::perms::none);
    const Result locked = run({"check", folder.path().string()});
    CHECK(locked.status == 3);
    CHECK(contains(locked.err, "/a: error: there is no permission to read it"));
    CHECK(contains(locked.out, "z.json: accepted"));
    CHECK(run({"check", folder.path().string() + "/z*.json"}).status == 0);  // nothing in a/ could match
    std::filesystem::permissions(folder.path() / "a", std::filesystem::perms::owner_all);
}

TEST_CASE("check PATTERN: ** is any folders, and nothing found is an error") {
    const Folder folder;
    std::filesystem::create_directories(folder.path() / "deep" / "er");
    folder.file("ds_a.json", clean);
    folder.file("deep/ds_b.json", clean);
    folder.file("deep/er/ds_c.json", clean);
    const std::string here = folder.path().string();
    const auto found = [&](const std::string& pattern) {
        std::string names;
        const std::string out = run({"check", here + "/" + pattern}).out;
        for (const char name : {'a', 'b', 'c'})
            if (contains(out, std::string("ds_") + name)) names += name;
        return names;
    };
    CHECK(found("**/ds_*.json") == "abc");
    CHECK(found("*/ds_*.json") == "b");
    CHECK(found("ds_?.json") == "a");
    CHECK(found("deep/**") == "bc");
    CHECK(run({"check", here + "/x*.json"}).status == 3);
    std::filesystem::create_directories(folder.path() / "empty");
    CHECK(run({"check", here + "/empty"}).status == 3);
}

TEST_CASE("check: a file of waivers beside a configuration counts, and is checked itself") {
    const Folder folder;
    const std::string file = folder.file("a.json", warned);
    folder.file("a.json.waivers",
                "no-effect-at-stage /zero_optimization/offload_param: for stage 3, later\n");
    CHECK(run({"check", "--strict", file}).status == 0);
    folder.file("a.json.waivers", "no-effect-at-stage\n");
    const Result result = run({"check", "--strict", file});
    CHECK(result.status == 1);
    CHECK(contains(result.out,
                   "a.json.waivers:1:1: warning: the waiver of no-effect-at-stage gives no reason"));
}

TEST_CASE("check: a file of waivers that cannot be read is no file without waivers") {
    const Folder folder;
    const std::string file = folder.file("a.json", clean);
    std::filesystem::create_directories(file + ".waivers");
    const Result result = run({"check", file});
    CHECK(result.status == 3);
    CHECK(contains(result.out, "a.json: accepted"));
    CHECK(contains(result.err, "a.json.waivers: error: this is a directory"));
    // the id of a --jsonl line is no path
    const std::string id = R"({"id": ")" + file + R"(", "text": "{\"train_batch_size\": 8}"})";
    CHECK(run({"check", "--jsonl"}, {.input = id}).status == 0);
}

TEST_CASE("check --format json: findings stand beside the verdict, what is waived has its reason") {
    const Folder folder;
    const std::string file = folder.file("a.json", warned);
    const auto line = nlohmann::json::parse(run({"check", "--format", "json", file}).out);
    CHECK(line["diagnostics"].empty());
    REQUIRE(line["findings"].size() == 1);
    CHECK(line["findings"][0]["code"] == "no-effect-at-stage");
    CHECK(line["accepted"] == true);
    folder.file("a.json.waivers", "no-effect-at-stage: for stage 3, later\n");
    const auto waived = nlohmann::json::parse(run({"check", "--format", "json", file}).out);
    CHECK(waived["findings"].empty());
    REQUIRE(waived["waived"].size() == 1);
    CHECK(waived["waived"][0]["reason"] == "for stage 3, later");
}

TEST_CASE("check --format sarif: one log for all files, unreadable ones too") {
    const Folder folder;
    const Result result = run({"check", "--format", "sarif", folder.file("a.json", warned),
                               folder.file("b.json", refused), (folder.path() / "none.json").string()});
    CHECK(result.status == 3);
    const auto log = nlohmann::json::parse(result.out);
    CHECK(log["version"] == "2.1.0");
    const auto& results = log["runs"][0]["results"];
    REQUIRE(results.size() == 3);
    CHECK(results[0]["ruleId"] == "no-effect-at-stage");
    CHECK(results[0]["level"] == "warning");
    CHECK(results[1]["level"] == "error");
    CHECK(results[2]["ruleId"] == "file-not-found");
}

TEST_CASE("check --format github: a line a finding") {
    const Folder folder;
    const std::string file = folder.file("a.json", warned);
    const Result result = run({"check", "--format", "github", file});
    CHECK(result.out.starts_with("::warning file=" + file + ",line=1,col="));
    CHECK(contains(result.out, ",title=no-effect-at-stage::offload_param has no effect at stage 2"));
}

TEST_CASE("check: a model's facts reach the rules that need them") {
    const Folder folder;
    const std::string file = folder.file("a.json", clean);
    CHECK(contains(run({"check", "--model", "parameters=1.25e8", file}).out,
                   "larger than the model's 125000000"));
    for (const std::string facts :
         {"parameters", "size=3", "parameters=-1", "parameters=1.5", "parameters=x"})
        CHECK(run({"check", "--model", facts, file}).status == 2);
}

TEST_CASE("check --section: the verdict on one section, without lint") {
    const Folder folder;
    const Result result = run({"check", "--section", "zero_optimization", folder.file("a.json", warned)});
    CHECK(result.status == 0);
    CHECK_FALSE(contains(result.out, "warning"));
}

TEST_CASE("rules: every code, with its severity and a title") {
    const Result result = run({"rules"});
    CHECK(result.status == 0);
    for (const char* code : {"unknown-key", "unread-key", "nvme-below-stage-3", "unused-waiver"})
        CHECK(contains(result.out, std::string("  ") + code + "  "));
}

TEST_CASE("explain: what a code means, an example with what is said of it, and one without a finding") {
    const Result result = run({"explain", "no-effect-at-stage", "wrong-type"});
    CHECK(result.status == 0);
    CHECK(contains(result.out, "DeepSpeed accepts every option at every stage"));
    CHECK(contains(result.out, "warning: offload_param has no effect at stage 2"));
    CHECK(contains(result.out, "error: stage must be 0, 1, 2 or 3"));
    CHECK(contains(result.out, "// dszero: ignore no-effect-at-stage: "));
    const Result unknown = run({"explain", "no-such-code"});
    CHECK(unknown.status == 2);
    CHECK(contains(unknown.err, "no-such-code"));
    CHECK(run({"explain"}).status == 2);
}

TEST_CASE("--help: says how to check, and how to have a code explained") {
    const Result result = run({"--help"});
    CHECK(contains(result.out, "dszero check ds_config.json"));
    CHECK(contains(result.out, "dszero explain "));
    CHECK(contains(result.out, "dszero fix "));
    CHECK(contains(result.out, "// dszero: ignore CODE: reason"));
    CHECK(contains(result.out, "--format github"));
}
