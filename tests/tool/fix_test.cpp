// SPDX-License-Identifier: MIT
#include <dszero/lint/fix.hpp>
#include <dszero/text/replace_file.hpp>
#include <dszero/text/unified_diff.hpp>

#include "process.hpp"
#include "support/catch.hpp"
#include "support/jsonl.hpp"
#include "support/paths.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <system_error>

using namespace dszero;
using tool_test::contents;
using tool_test::Folder;
using tool_test::run;

namespace fs = std::filesystem;

namespace {

LoadOptions of_section(Release release) {
    LoadOptions options;
    options.release = release;
    options.scope = Scope::zero_section;
    return options;
}

std::string fixed(const std::string& text, FixScope scope = FixScope::safe,
                  Release release = newest_release) {
    return fix(text, of_section(release), scope).text;
}
std::string fixed_unsafely(const std::string& text) { return fixed(text, FixScope::unsafe); }

/// All attributes of the section but deprecated ones.
Json attributes(const Document& document) {
    Json all = write_section(section<DeepSpeedZeroConfig>, &document.config->zero_config,
                             {.release = document.release, .attributes = true});
    for (const Row& row : section<DeepSpeedZeroConfig>.rows)
        if (row.deprecated()) all.erase(std::string(row.name));
    return all;
}

/// 1 where something was mended; what DeepSpeed reads is then still the same.
std::size_t mends_without_change(const std::string& text, Release release) {
    const LoadOptions options = of_section(release);
    const Document before = parse(text, options);
    if (!before.accepted() || text.size() > max_fixable_bytes) return 0;
    const std::string after = fixed(text, FixScope::safe, release);
    if (after == text) return 0;
    INFO(text << "\n-> " << after);
    const Document again = parse(after, options);
    REQUIRE(again.accepted());
    CHECK(attributes(again) == attributes(before));
    CHECK(fixed(after, FixScope::safe, release) == after);
    return 1;
}

}  // namespace

TEST_CASE("fix: safe repairs leave all values of every accepted recorded document") {
    std::size_t mended = 0;
    bool first = true;
    test::for_each_record(test::data() / "zero.jsonl.gz", [&](const test::Recorded& line) {
        if (!std::exchange(first, false) && line["text"])
            for (const Release release : {Release("0.19.8"), Release("0.14.5")})
                mended += mends_without_change(line["text"].text(), release);
    });
    CHECK(mended > 500);
}

TEST_CASE("fix: safe repairs leave all values of every accepted file that people wrote") {
    if (!fs::exists(test::shared() / "corpus")) {
        WARN("skipped: no corpus beside the checkout");
        return;
    }
    std::size_t files = 0, mended = 0;
    for (const auto& entry : fs::recursive_directory_iterator(test::shared() / "corpus")) {
        if (entry.path().extension() != ".json") continue;
        ++files;
        mended += mends_without_change(test::read_file(entry.path()), newest_release);
    }
    CHECK(files > 600);
    CHECK(mended > 0);
}

TEST_CASE("fix: comments and layout stay") {
    CHECK(
        fixed("{\n  // old\n  \"zero_optimization\": {\n    \"cpu_offload\": true,  # why\n    \"stage\": "
              "2\n  }\n}\n") ==
        "{\n  // old\n  \"zero_optimization\": {\n    \"offload_optimizer\": {\"device\": \"cpu\"},  # why\n"
        "    \"stage\": 2\n  }\n}\n");
    CHECK(fixed("{\"zero_optimization\":   true /* on */}") ==
          "{\"zero_optimization\":   {\"stage\": 1} /* on */}");
    CHECK(fixed("zero_optimization: {\r\n  stage3_prefetch_bucket_size: 10.7 // 0.9 n\r\n}\r\n") ==
          "zero_optimization: {\r\n  stage3_prefetch_bucket_size: 10 // 0.9 n\r\n}\r\n");
}

TEST_CASE("fix: what gives a key an effect needs to be asked for") {
    const std::string misspelled = "{\"zero_optimization\": {\"overlap_com\": true}}";
    CHECK(fixed(misspelled) == misspelled);
    CHECK(fix(misspelled, of_section(newest_release), FixScope::safe).left.size() == 1);
    CHECK(fixed_unsafely(misspelled) == "{\"zero_optimization\": {\"overlap_comm\": true}}");
    CHECK(fixed_unsafely("zero_optimization: {\n  overlap_com: true\n}") ==
          "zero_optimization: {\n  overlap_comm: true\n}");
}

TEST_CASE("fix: a misplaced key moves to where it belongs") {
    CHECK(fixed_unsafely("{\n  \"zero_optimization\": {\n    \"gradient_clipping\": 1.0,\n    \"stage\": 1\n "
                         " }  // end\n}\n") ==
          "{\n  \"zero_optimization\": {\n    \"stage\": 1\n  },  // end\n  \"gradient_clipping\": 1.0\n}\n");
    CHECK(
        fixed_unsafely(
            "{\n  \"overlap_comm\": true,\n  \"zero_optimization\": {\n    \"stage\": 1  // one\n  }\n}\n") ==
        "{\n  \"zero_optimization\": {\n    \"stage\": 1,  // one\n    \"overlap_comm\": true\n  }\n}\n");
    CHECK(fixed_unsafely("{\"zero_optimization\": {\"stage\": 3, \"buffer_count\": 5}}")
              .find("buffer_count\": 5}}") != std::string::npos);  // it belongs in two places: left alone
    CHECK(fixed_unsafely("{\"zero_optimization\": {\"stage\": 3, \"max_in_cpu\": 5}}") ==
          "{\"zero_optimization\": {\"stage\": 3, \"offload_param\": {\"max_in_cpu\": 5}}}");
    CHECK(fixed_unsafely("{\"overlap_comm\": true}") == "{\"zero_optimization\": {\"overlap_comm\": true}}");
    const std::string twice = "{\"overlap_comm\": true, \"zero_optimization\": {\"overlap_comm\": false}}";
    CHECK(fixed_unsafely(twice) == twice);
    // Hjson: a string without quotes ends with its line
    CHECK(fixed_unsafely(
              "zero_optimization: {\n  offload_optimizer: {\n    nvme_path: /a, b\n    device: nvme\n  }\n"
              "  overlap_comm: true\n}\nround_robin_gradients: true\n") ==
          "zero_optimization: {\n  offload_optimizer: {\n    nvme_path: /a, b\n    device: nvme\n  }\n"
          "  overlap_comm: true,\n  round_robin_gradients: true\n}\n");
}

TEST_CASE("fix: no repair makes a duplicate, nor chooses among duplicates") {
    const auto errors = [](const std::string& text) {
        const Document document = parse(text, of_section(newest_release));
        return std::count_if(document.diagnostics.begin(), document.diagnostics.end(),
                             [](const Diagnostic& d) { return d.code == "duplicate-key"; });
    };
    for (const char* text : {
             // two misspellings of one key; a rename and a move to the same place; a move and a new form
             R"({"zero_optimization": {"overlap_com": true, "overlap_comn": false}})",
             R"({"overlap_comm": true, "zero_optimization": {"overlap_com": false}})",
             R"({"offload_optimizer": {"device": "nvme"}, "zero_optimization": {"cpu_offload": true}})",
             R"({"max_in_cpu": 5, "zero_optimization": {"stage": 3, "max_in_cpu": 6}})",
         }) {
        INFO(text);
        const std::string once = fixed_unsafely(text);
        CHECK(once != text);
        CHECK(errors(once) == 0);
        CHECK(fixed_unsafely(once) == once);
    }
    for (const char* text : {
             R"({"zero_optimization": {"cpu_offload": true, "cpu_offload": false}})",
             R"({"zero_optimization": {"x": 1, "overlap_comn": 1, "overlap_comn": 2}})",
             R"({"zero_optimization": {"x": 1, "gradient_clipping": 1, "gradient_clipping": 2}})",
         }) {
        INFO(text);
        CHECK(fixed_unsafely(text) == text);
    }
}

TEST_CASE("fix: forty thousand misspellings end in time") {
    std::string text = "{\"zero_optimization\": {\"stage\": 1";
    for (int i = 0; i < 40'000; ++i) text += ",\"overlap_com" + std::to_string(i) + "\": true";
    const auto begin = std::chrono::steady_clock::now();
    fixed_unsafely(text + "}}");
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(60));  // it was many minutes
}

TEST_CASE("fix: members are taken out and put in with their commas") {
    const auto edited = [](const std::string& text, std::uint32_t member, bool put) {
        const Source source{"", text};
        Tree tree;
        Diagnostics problems;
        REQUIRE(read(source, {}, tree, problems));
        Edits edits;
        if (put)
            insert_member(text, tree.nodes, 0, "\"x\": 0", false, edits);
        else
            remove_member(text, tree.nodes, 0, member, edits);
        return apply_edits(text, edits);
    };
    CHECK(edited("{\"a\": 1, \"b\": 2}", 1, false) == "{\"b\": 2}");
    CHECK(edited("{\"a\": 1, \"b\": 2}", 2, false) == "{\"a\": 1}");
    CHECK(edited("{\"a\": 1}", 1, false) == "{}");
    CHECK(edited("{\n  \"a\": 1,\n  \"b\": 2\n}", 2, false) == "{\n  \"a\": 1\n}");
    CHECK(edited("{\n  \"a\": 1,  // one\n  \"b\": 2\n}", 1, false) == "{\n  // one\n  \"b\": 2\n}");
    CHECK(edited("{\n  \"a\": 1,  // one\n  \"b\": 2\n}", 2, false) == "{\n  \"a\": 1  // one\n}");
    CHECK(edited("{}", 0, true) == "{\"x\": 0}");
    CHECK(edited("", 0, true) == "\"x\": 0");
    CHECK(edited("{\"a\": 1}", 0, true) == "{\"a\": 1, \"x\": 0}");
    CHECK(edited("{\"a\": 1, }", 0, true) == "{\"a\": 1, \"x\": 0 }");
    CHECK(edited("{\n  \"a\": 1, // one\n}", 0, true) == "{\n  \"a\": 1, // one\n  \"x\": 0\n}");
    CHECK(edited("a: 1 # one\n", 0, true) == "a: 1, # one\n\"x\": 0\n");
}

TEST_CASE("unified_diff: as diff -u has it") {
    CHECK(unified_diff("f", "a\nb\n", "a\nb\n").empty());
    CHECK(unified_diff("f", "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n") ==
          "--- f\n+++ f\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
    CHECK(unified_diff("f", "a", "a\nb\n") ==
          "--- f\n+++ f\n@@ -1 +1,2 @@\n-a\n\\ No newline at end of file\n+a\n+b\n");
    CHECK(unified_diff("f", "", "a\n") == "--- f\n+++ f\n@@ -0,0 +1 @@\n+a\n");
    const std::string many(20, '\n');
    CHECK(unified_diff("f", "a\n" + many + "b\n", many).find("@@ -1,4 +1,3 @@\n-a\n") != std::string::npos);
}

TEST_CASE("unified_diff: names that patch could not tell from their line, as git writes them") {
    const auto header = [](const char* name) {
        const std::string diff = unified_diff(name, "a\n", "b\n");
        return diff.substr(4, diff.find('\n') - 4);
    };
    CHECK(header("a.json") == "a.json");
    CHECK(header("a b.json") == "a b.json\t");
    CHECK(header("a\nb\".json") == "\"a\\012b\\\".json\"");
}

TEST_CASE("replace_file: the old content is never touched, mode and links stay") {
    const Folder folder;
    const std::string path = folder.file("a.json", "old");
    fs::permissions(path, fs::perms(0640));
    fs::create_hard_link(path, folder.path() / "witness");
    fs::create_symlink("a.json", folder.path() / "link");
    replace_file((folder.path() / "link").string(), "new");
    CHECK(contents(path) == "new");
    CHECK(contents(folder.path() / "witness") == "old");  // so a crash would have left it
    CHECK(fs::is_symlink(folder.path() / "link"));
    CHECK(fs::status(path).permissions() == fs::perms(0640));
}

TEST_CASE("replace_file: a failed write is an error that names the file, which stays as it was") {
    const Folder folder;
    const std::string path = folder.file("a.json", "old");
    const auto count_files = [&] { return std::distance(fs::directory_iterator(folder.path()), {}); };
    rlimit limit{};
    getrlimit(RLIMIT_FSIZE, &limit);
    const rlimit small{4, limit.rlim_max};
    const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    std::string message;
    try {
        replace_file(path, "much too long");
    } catch (const std::system_error& e) {
        message = e.what();
    }
    setrlimit(RLIMIT_FSIZE, &limit);
    std::signal(SIGXFSZ, old_handler);
    CHECK(message.find("cannot write " + path) == 0);
    CHECK(contents(path) == "old");
    CHECK(count_files() == 1);
    CHECK_THROWS_AS(replace_file((folder.path() / "none").string(), "x"), std::system_error);
    CHECK_THROWS_AS(replace_file(folder.path().string(), "x"), std::system_error);
}

TEST_CASE("replace_file: a file that holds something else than was read stays as it is") {
    const Folder folder;
    const std::string path = folder.file("a.json", "theirs");
    for (const char* was : {"read", "theirs, once", "their"})
        CHECK_THROWS_WITH(replace_file(path, "new", was),
                          path + " has changed since it was read; it is left as it is");
    CHECK(contents(path) == "theirs");
    CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 1);
    replace_file(path, "new", "theirs");
    CHECK(contents(path) == "new");
}

TEST_CASE("dszero fix: shows a diff, writes on demand, and says what it leaves") {
    const Folder folder;
    const std::string text =
        "{\n  \"train_batch_size\": 8,\n  \"zero_optimization\": {\n    \"stage\": 2,\n    \"cpu_offload\": "
        "true\n  },\n  \"overlap_comm\": true\n}\n";
    const std::string path = folder.file("a.json", text);
    const auto shown = run({"fix", path});
    CHECK(shown.status == 0);
    CHECK(shown.out.find("-    \"cpu_offload\": true\n+    \"offload_optimizer\": {\"device\": \"cpu\"}\n") !=
          std::string::npos);
    CHECK(shown.err.find("--unsafe would mend\n  7:3: overlap_comm is ignored here") != std::string::npos);
    CHECK(contents(path) == text);
    const auto written = run({"fix", "--write", "--unsafe", path});
    CHECK(written.err.find("  overlap_comm: false becomes true\n") != std::string::npos);
    CHECK(written.err.find("becomes") == written.err.rfind("becomes"));  // and nothing else does
    CHECK(contents(path).find("\"overlap_comm\": true\n  }\n}\n") != std::string::npos);
    CHECK(run({"fix", path}).out.empty());
    CHECK(run({"fix", "--write", "-"}).status == 2);
    CHECK(run({"fix", (folder.path() / "none.json").string()}).status == 3);
}

TEST_CASE("dszero fix --write: a file that someone changes meanwhile keeps their change") {
    // the diff is longer than a pipe and the tool's buffer hold: it waits between reading and replacing
    const std::string text =
        "{\"train_batch_size\": 8, \"zero_optimization\": {\"cpu_offload\": true}, \"_\": \"" +
        std::string(400'000, 'x') + "\"}\n";
    const Folder folder;
    const std::string path = folder.file("a.json", text);
    int out[2];
    REQUIRE(pipe(out) == 0);
    const std::string err = folder.file("err", "");
    const pid_t child = fork();
    if (child == 0) {
        dup2(out[1], STDOUT_FILENO);
        dup2(open(err.c_str(), O_WRONLY), STDERR_FILENO);
        close(out[0]);
        tool_test::become_tool({"fix", "--write", path});
    }
    close(out[1]);
    char byte = 0;
    REQUIRE(read(out[0], &byte, 1) == 1);
    folder.file("a.json", "{}\n");
    std::string rest(1 << 16, ' ');
    while (read(out[0], rest.data(), rest.size()) > 0) {
    }
    close(out[0]);
    CHECK(tool_test::exit_status(child) == 3);
    CHECK(contents(err) == "dszero: " + path + " has changed since it was read; it is left as it is\n");
    CHECK(contents(path) == "{}\n");
}
