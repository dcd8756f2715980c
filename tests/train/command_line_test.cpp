// SPDX-License-Identifier: MIT
#include "support/catch.hpp"
#include "tool/process.hpp"

#include <string>
#include <vector>

using tool_test::Folder;
using tool_test::Result;

namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// A run of a few steps, in a folder with a text.
Result train(const Folder& folder, std::vector<std::string> arguments) {
    const std::string text = folder.file("text", std::string(500, 'a') + "rose is a rose");
    for (const char* more :
         {"--steps", "4", "--layers", "1", "--width", "8", "--heads", "2", "--context", "8"})
        arguments.emplace_back(more);
    arguments.insert(arguments.end(), {"--text", text});
    return tool_test::run(arguments, {.program = DSZERO_TRAIN});
}

std::string config(const std::string& zero) {
    return R"({"train_micro_batch_size_per_gpu": 1, "optimizer": {"type": "Adam"}, "zero_optimization": )" +
           zero + '}';
}

}  // namespace

TEST_CASE("train's command line: runs are compared, and drawn") {
    const Folder folder;
    const std::string svg = (folder.path() / "chart.svg").string();
    const Result result =
        train(folder, {"--config", folder.file("one.json", config(R"({"stage": 1})")), "--config",
                       folder.file("two.json", config(R"({"stage": 2})")), "--svg", svg});
    CHECK(result.err == "");
    CHECK(result.status == 0);
    CHECK(has(result.out, "Every loss and, at the end, every weight is the same in all runs, bit for bit."));
    const std::string drawn = tool_test::contents(svg);
    CHECK(drawn.starts_with("<svg "));
    CHECK(drawn.ends_with("</svg>\n"));
    CHECK(has(drawn, ">one = two</text>"));
}

TEST_CASE("train's command line: runs that differ are said to") {
    const Folder folder;
    const Result result =
        train(folder, {"--config", folder.file("one.json", config(R"({"stage": 0})")), "--config",
                       folder.file("sgd.json", R"({"train_batch_size": 2, "optimizer": {"type": "SGD"}})")});
    CHECK(result.status == 0);
    CHECK(has(result.out, "Not the same bits as one: sgd.\n"));
}

TEST_CASE("train's command line: a refused configuration is explained, and nothing runs") {
    const Folder folder;
    const Result result = train(folder, {"--config", folder.file("good.json", config("{}")), "--config",
                                         folder.file("bad.json", config(R"({"stage": 4})"))});
    CHECK(result.status == 1);
    CHECK(has(result.err, "bad.json:1:"));
    CHECK(has(result.err, "stage must be 0, 1, 2 or 3, got 4"));
    CHECK(result.out == "");
}

TEST_CASE("train's command line: files that are not there are named") {
    const Folder folder;
    const Result no_config = train(folder, {"--config", "no/such.json"});
    CHECK(no_config.status == 1);
    CHECK(has(no_config.err, "no/such.json"));
    const Result no_text =
        train(folder, {"--text", "no/such/text", "--config", folder.file("c.json", config("{}"))});
    CHECK(no_text.status == 1);
    CHECK(has(no_text.err, "no/such/text"));
}

TEST_CASE("train's command line: what does not fit its budget fails, the others run") {
    const Folder folder;
    const Result result = train(folder, {"--config", folder.file("zero.json", config(R"({"stage": 0})")),
                                         "--config", folder.file("one.json", config(R"({"stage": 1})")),
                                         "--ranks", "4", "--device-budget", "40KiB"});
    CHECK(result.status == 1);
    CHECK(has(result.err, "zero.json: "));
    CHECK(has(result.err, "budget of 40960 bytes"));
    CHECK(!has(result.err, "one.json"));
    CHECK(has(result.out, "one"));
    CHECK(has(result.out, "rank 3"));
}

TEST_CASE("train's command line: a wrong one is 2") {
    const Folder folder;
    CHECK(train(folder, {}).status == 2);
    const std::string good = folder.file("c.json", config("{}"));
    CHECK(train(folder, {"--config", good, "--ranks", "0"}).status == 2);
    CHECK(train(folder, {"--config", good, "--device-budget", "12 parsecs"}).status == 2);
    CHECK(train(folder, {"--help"}).status == 0);
}
