// SPDX-License-Identifier: MIT
#include "process.hpp"
#include "support/catch.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <string>
#include <vector>

using tool_test::Folder;
using tool_test::Result;
using tool_test::run;
using Json = nlohmann::ordered_json;

namespace {

constexpr const char* accepted =
    R"({"train_batch_size": 8, "zero_optimization": {"stage": 3, "stage3_gather_16bit_weights_on_model_save": true}})";
constexpr const char* refused =
    "{\n  \"zero_optimization\": {\"stage\": 1,\n    \"reduce_bucket_size\": -1\n  },\n  "
    "\"train_batch_size\": 8\n}\n";

std::vector<std::string> lines(const std::string& text) {
    std::vector<std::string> result;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = text.find('\n', begin);
        REQUIRE(end != std::string::npos);  // the last line is complete
        result.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return result;
}

std::vector<Json> json_lines(const std::string& text) {
    std::vector<Json> result;
    for (const std::string& line : lines(text)) {
        CHECK(std::all_of(line.begin(), line.end(), [](char c) { return c >= 0x20 && c < 0x7F; }));
        result.push_back(Json::parse(line));
    }
    return result;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

// ---------------------------------------------------------------- the call

TEST_CASE("--help: commands, examples and exit status; for each command too") {
    const Result help = run({"--help"});
    CHECK(help.status == 0);
    CHECK(help.err.empty());
    for (const char* word :
         {"check", "show", "diff", "Examples:", "Exit status:", "dszero check ds_config.json"})
        CHECK(has(help.out, word));
    for (const char* command : {"check", "show", "diff"}) {
        const Result of_command = run({command, "--help"});
        CHECK(of_command.status == 0);
        CHECK(has(of_command.out, "--deepspeed"));
        CHECK(has(of_command.out, "Examples:"));
    }
    CHECK(run({"-h"}).out == help.out);
}

TEST_CASE("--version: dszero's and the releases it knows") {
    const Result version = run({"--version"});
    CHECK(version.status == 0);
    CHECK(version.out.starts_with("dszero "));
    CHECK(has(version.out, "DeepSpeed 0.7.0 to 0.19.8\n"));
}

TEST_CASE("dszero alone: helps, on standard error") {
    const Result alone = run({});
    CHECK(alone.status == 2);
    CHECK(alone.out.empty());
    CHECK(has(alone.err, "Examples:"));
}

TEST_CASE("a wrong call: status 2, nothing on standard output, a reason on standard error") {
    const Folder folder;
    const std::string file = folder.file("a.json", accepted);
    const std::vector<std::vector<std::string>> calls = {
        {"frobnicate"},
        {"--frobnicate"},
        {"check"},
        {"show"},
        {"diff", file},
        {"diff", file, file, file},
        {"check", "--frobnicate", file},
        {"check", "--format", "yaml", file},
        {"check", "--format"},
        {"check", "--section", "fp16", file},
        {"check", "--deepspeed", "newest", file},
        {"check", "--deepspeed", "0.19", file},
        {"check", "--deepspeed", "0.6.7", file},
        {"show", "--deepspeed", "all", file},
        {"check", "--jsonl", file},
        {"check", "--model", "parameters=7,largest=8", file},
        {"resolve", "--learning-rate", "nan", file},
        {"resolve", "--warmup-steps", "1e300", file},
        {"resolve", "--warmup-steps", "-1", file},
        {"check", "-", "-"},
        {"diff", "-", "-"},
    };
    for (const auto& call : calls) {
        std::string shown;
        for (const std::string& word : call) shown += word + ' ';
        INFO(shown);
        const Result result = run(call);
        CHECK(result.status == 2);
        CHECK(result.out.empty());
        CHECK(!result.err.empty());
    }
    CHECK(has(run({"frobnicate"}).err, "frobnicate"));
    CHECK(has(run({"chek", file}).err, "did you mean 'check'?"));
    CHECK(has(run({file}).err, "dszero check FILE"));
    CHECK(has(run({"check", "--deepspeed", "0.6.7", file}).err, "0.7.0"));
}

TEST_CASE("a file's name: whatever it looks like, it is a name, and comes back as it was given") {
    const Folder folder;
    const std::vector<std::string> names = {"check",     "[a,b]",     "[a]", "{}",  "a b",
                                            "\xFF.json", "caf\u00e9", "++",  "a\nb"};
    std::vector<std::string> call{"check", "--format", "json"};
    for (const std::string& name : names) {
        folder.file(name, accepted);
        call.push_back(name);
    }
    folder.file("-x", accepted);
    call.insert(call.end(), {"./-x", "--", "-x"});
    const Result result = run(call, {.working_folder = folder.path().string()});
    CHECK(result.status == 0);
    const std::vector<Json> answers = json_lines(result.out);
    REQUIRE(answers.size() == names.size() + 2);
    for (std::size_t i = 0; i < names.size(); ++i)
        CHECK(answers[i]["file"] == (names[i] == "\xFF.json" ? "\uFFFD.json" : names[i]));
    CHECK(answers[names.size()]["file"] == "./-x");
    CHECK(answers[names.size() + 1]["file"] == "-x");
    CHECK(lines(run({"check", "a\nb"}, {.working_folder = folder.path().string()}).out).size() == 1);
}

// ------------------------------------------------------------------- check

TEST_CASE("check: an accepted file gives its summary and status 0") {
    const Folder folder;
    const std::string file = folder.file("a.json", accepted);
    const Result result = run({"check", file});
    CHECK(result.status == 0);
    CHECK(result.out == file + ": accepted by DeepSpeed 0.19.8\n");
    CHECK(result.err.empty());
}

TEST_CASE("check: a refused file gives every problem at its place, its summary and status 1") {
    const Folder folder;
    const std::string file = folder.file("a.json", refused);
    const Result result = run({"check", file});
    CHECK(result.status == 1);
    const std::vector<std::string> out = lines(result.out);
    REQUIRE(out.size() >= 4);
    CHECK(out[0] == file + ":3:27: error: reduce_bucket_size must be greater than 0, got -1 [out-of-bounds]");
    CHECK(out[1] == "  \"reduce_bucket_size\": -1");
    CHECK(out[2] == "                        ^~");
    CHECK(out.back() == file + ": refused by DeepSpeed 0.19.8 (1 error)");
    CHECK(result.err.empty());
}

TEST_CASE("check: warnings are counted and change no verdict") {
    const Folder folder;
    const std::string file = folder.file(
        "a.json",
        R"({"train_batch_size": 8, "optimizer": {"type": "AdamW"}, "zero_optimization": {"stage": 2, "cpu_offload": true}})");
    const Result result = run({"check", file});
    CHECK(result.status == 0);
    CHECK(result.out.ends_with(": accepted by DeepSpeed 0.19.8 (1 warning)\n"));
}

TEST_CASE("check: one refused file among accepted ones gives status 1, whatever the order") {
    const Folder folder;
    const std::string a = folder.file("a", accepted), b = folder.file("b", refused);
    CHECK(run({"check", a, b}).status == 1);
    CHECK(run({"check", b, a}).status == 1);
    CHECK(lines(run({"check", a, b, a}).out).back() == a + ": accepted by DeepSpeed 0.19.8");
}

TEST_CASE("check: bytes that are no text are refused, not unreadable") {
    const Folder folder;
    const std::string file = folder.file("a", "{\"a\": \"\xFF\"}");
    const Result result = run({"check", file});
    CHECK(result.status == 1);
    CHECK(has(result.out, "invalid-utf8"));
    CHECK(has(result.out, "\\xff"));
    CHECK(!has(result.out, "\xFF"));
}

TEST_CASE("check -: standard input") {
    const Result text = run({"check", "-"}, {.input = refused});
    CHECK(text.status == 1);
    CHECK(text.out.starts_with("<stdin>:3:27: error: "));
    const Result json = run({"check", "--format", "json", "-"}, {.input = accepted});
    CHECK(json.status == 0);
    CHECK(json_lines(json.out).at(0)["file"] == "-");
    // an empty document is an empty object
    CHECK(run({"check", "--section", "zero_optimization", "-"}, {.input = ""}).status == 0);
    CHECK(has(run({"check", "-"}, {.input = ""}).out, "batch-missing"));
}

TEST_CASE("check --section zero_optimization: judges that section") {
    const Folder folder;
    CHECK(run({"check", "--section", "zero_optimization", folder.file("a", accepted)}).status == 0);
    CHECK(run({"check", "--section=zero_optimization", folder.file("b", refused)}).status == 1);
}

TEST_CASE("check --deepspeed: another release, another verdict and other defaults") {
    const Folder folder;
    const std::string zero =
        folder.file("a", R"({"train_batch_size": 8, "zero_optimization": {"reduce_bucket_size": 0}})");
    CHECK(run({"check", zero}).status == 1);
    CHECK(run({"check", "--section", "zero_optimization", "--deepspeed", "0.19.5", zero}).out ==
          zero + ": accepted by DeepSpeed 0.19.5\n");
    CHECK(has(run({"check", "--deepspeed", "0.19.5", zero}).out, "is inferred"));
    const Result newer =
        run({"check", "--deepspeed", "1.0.0", "--format", "json", folder.file("b", accepted)});
    CHECK(newer.status == 0);
    const Json answer = json_lines(newer.out).at(0);
    CHECK(answer["release"] == "0.19.8");
    CHECK(answer["diagnostics"].at(0)["severity"] == "note");
}

TEST_CASE("check --format json: a line for each file, with the members that were promised") {
    const Folder folder;
    const std::string a = folder.file("a", accepted), b = folder.file("b", refused);
    const Result result = run({"check", "--format", "json", a, b});
    CHECK(result.status == 1);
    const std::vector<Json> answers = json_lines(result.out);
    REQUIRE(answers.size() == 2);
    for (const Json& answer : answers) {
        std::vector<std::string> keys;
        for (const auto& member : answer.items()) keys.push_back(member.key());
        CHECK(keys == std::vector<std::string>{"file", "release", "accepted", "inferred", "first_check",
                                               "document", "zero_optimization", "warnings", "diagnostics",
                                               "findings", "waived"});
        CHECK(answer["release"] == "0.19.8");
    }
    CHECK(answers[0]["file"] == a);
    CHECK(answers[0]["accepted"] == true);
    CHECK(answers[0]["zero_optimization"]["stage"] == 3);
    CHECK(answers[0]["zero_optimization"]["overlap_comm"] == true);
    CHECK(answers[0]["document"]["train_micro_batch_size_per_gpu"] == 8);
    CHECK(answers[0]["first_check"] == nullptr);
    CHECK(answers[1]["document"] == nullptr);
    CHECK(answers[1]["first_check"] == "section:zero_optimization");
    CHECK(answers[0]["warnings"] == Json::array());
    CHECK(answers[0]["diagnostics"] == Json::array());
    CHECK(answers[1]["accepted"] == false);
    CHECK(answers[1]["zero_optimization"] == nullptr);
    REQUIRE(answers[1]["diagnostics"].size() == 1);
    const Json& problem = answers[1]["diagnostics"][0];
    CHECK(problem["severity"] == "error");
    CHECK(problem["code"] == "out-of-bounds");
    CHECK(problem["pointer"] == "/zero_optimization/reduce_bucket_size");
    CHECK(problem["line"] == 3);
    CHECK(problem["column"] == 27);
    CHECK(problem["end_line"] == 3);
    CHECK(problem["end_column"] == 29);
    CHECK(problem["message"].is_string());
    CHECK(problem.contains("hint"));
    CHECK(problem["first"] == true);
}

TEST_CASE("check --world-size: the batch numbers are those of as many ranks") {
    const Result result = run({"check", "--world-size", "4", "--format", "json", "-"},
                              {.input = R"({"train_batch_size": 64, "train_micro_batch_size_per_gpu": 2})"});
    CHECK(json_lines(result.out).at(0)["document"]["gradient_accumulation_steps"] == 8);
    const Result odd = run({"check", "--world-size", "7", "-"}, {.input = R"({"train_batch_size": 64})"});
    CHECK(odd.status == 1);
    CHECK(has(odd.out, "batch-product-mismatch"));
}

TEST_CASE("check --accelerator, --caller: what DeepSpeed is told besides the document") {
    const char* gds = R"({"train_batch_size": 8, "aio": {"use_gds": true}})";
    CHECK(run({"check", "-"}, {.input = gds}).status == 0);
    CHECK(run({"check", "--accelerator", "cpu", "-"}, {.input = gds}).status == 1);
    const char* automatic = R"({"train_batch_size": "auto", "train_micro_batch_size_per_gpu": "auto"})";
    CHECK(run({"check", "-"}, {.input = automatic}).status == 1);
    CHECK(run({"check", "--caller", "huggingface", "-"}, {.input = automatic}).status == 0);
    const char* commented = "{\"train_batch_size\": 8 // ranks\n}";
    CHECK(run({"check", "-"}, {.input = commented}).status == 0);
    CHECK(run({"check", "--caller", "accelerate", "-"}, {.input = commented}).status == 1);
}

TEST_CASE("check --format json: DeepSpeed's warnings by their tags") {
    const Result result =
        run({"check", "--format", "json", "-"},
            {.input = R"({"train_batch_size": 8, "zero_optimization": {"cpu_offload": false}})"});
    CHECK(json_lines(result.out).at(0)["warnings"] == Json::array({"deprecated_field:cpu_offload"}));
}

// ------------------------------------------------------ files with problems

TEST_CASE("files that cannot be read: told apart on standard error, status 3, the others judged") {
    const Folder folder;
    const std::string good = folder.file("good", accepted), missing = (folder.path() / "missing").string();
    const std::string directory = folder.path().string();
    const Result result = run({"check", missing, directory, good});
    CHECK(result.status == 3);
    CHECK(result.out == good + ": accepted by DeepSpeed 0.19.8\n");
    CHECK(has(result.err, missing + ": error: file not found [file-not-found]\n"));
    CHECK(has(result.err, directory + ": error: there is no JSON file in it [nothing-found]\n"));
    CHECK(run({"show", missing}).status == 3);
    CHECK(run({"diff", missing, good}).status == 3);
    CHECK(run({"diff", good, missing}).status == 3);
}

TEST_CASE("status 3 beats 1") {
    const Folder folder;
    const std::string bad = folder.file("bad", refused), missing = (folder.path() / "missing").string();
    CHECK(run({"check", bad, missing}).status == 3);
    CHECK(run({"check", missing, bad}).status == 3);
    CHECK(run({"diff", bad, missing}).status == 3);
}

TEST_CASE("a file without permission, and one that fails while it is read") {
    const Folder folder;
    if (geteuid() != 0) {  // root may read everything
        const std::string locked = folder.file("locked", accepted);
        tool_test::fs::permissions(locked, tool_test::fs::perms::none);
        const Result result = run({"check", locked});
        CHECK(result.status == 3);
        CHECK(has(result.err, "permission-denied"));
    }
    if (tool_test::fs::exists("/proc/self/mem")) {  // opens, and its first byte is an input/output error
        const Result result = run({"check", "/proc/self/mem"});
        CHECK(result.status == 3);
        CHECK(has(result.err, "/proc/self/mem: error: cannot be read: Input/output error [read-error]\n"));
    }
    const Result result = run({"check", "-"}, {.input_from = folder.path().string()});
    CHECK(result.status == 3);
    CHECK(has(result.err, "<stdin>: error: this is a directory"));
}

TEST_CASE("files that cannot be read: in JSON a line with accepted null and why, nothing on standard error") {
    const Folder folder;
    const std::string missing = (folder.path() / "missing").string();
    for (const char* command : {"check", "show"}) {
        const Result result = run({command, "--format", "json", missing, folder.file("good", accepted)});
        CHECK(result.status == 3);
        CHECK(result.err.empty());
        const std::vector<Json> answers = json_lines(result.out);
        REQUIRE(answers.size() == 2);
        CHECK(answers[0]["file"] == missing);
        CHECK(answers[0]["accepted"] == nullptr);
        CHECK(answers[0]["zero_optimization"] == nullptr);
        CHECK(answers[0]["diagnostics"].at(0)["code"] == "file-not-found");
        CHECK(answers[0]["diagnostics"].at(0)["line"] == nullptr);
        CHECK(answers[1]["accepted"] == true);
        for (const auto& member : answers[1].items()) CHECK(answers[0].contains(member.key()));
    }
}

TEST_CASE("standard output that takes no more: status 3 and a message") {
    if (!tool_test::fs::exists("/dev/full")) return;
    const Folder folder;
    const std::string file = folder.file("a", accepted);
    for (const std::vector<std::string>& call : {std::vector<std::string>{"check", file},
                                                 {"check", "--format", "json", file},
                                                 {"show", file},
                                                 {"diff", file, file},
                                                 {"--version"},
                                                 {"check", "--help"},
                                                 {"check", "--deepspeed", "all", "--format", "json", file}}) {
        const Result result = run(call, {.output_to = "/dev/full"});
        CHECK(result.status == 3);
        CHECK(result.err == "dszero: cannot write to standard output: No space left on device\n");
    }
}

TEST_CASE("thousands of files in one call") {
    const Folder folder;
    std::vector<std::string> call{"check", "--format", "json"};
    for (int i = 0; i < 3000; ++i)
        call.push_back(folder.file(std::to_string(i), i == 1234 ? refused : accepted));
    const Result result = run(call);
    CHECK(result.status == 1);
    const std::vector<std::string> answers = lines(result.out);
    REQUIRE(answers.size() == 3000);
    for (std::size_t i = 0; i < answers.size(); ++i) REQUIRE(has(answers[i], "/" + std::to_string(i) + "\""));
    CHECK(has(answers[1234], "\"accepted\":false"));
}

// -------------------------------------------------------- every release

TEST_CASE("check --deepspeed all: from which release to which, and why not outside") {
    const Folder folder;
    const std::string file = folder.file(
        "a", "{\"train_batch_size\": 8, \"zero_optimization\": {\n\"zero_hpz_partition_size\": 8}}");
    const Result result = run({"check", "--deepspeed", "all", file});
    CHECK(result.status == 1);
    const std::vector<std::string> out = lines(result.out);
    REQUIRE(out.size() >= 3);
    CHECK(out[0] == file + ": refused by DeepSpeed 0.7.0 to 0.9.5:");
    CHECK(out[1].starts_with(file + ":2:1: error: "));
    CHECK(out.back() == file + ": accepted by DeepSpeed 0.10.0 to 0.19.8");

    const std::string always = folder.file("b", accepted);
    CHECK(run({"check", "--deepspeed", "all", always}).status == 0);
    CHECK(run({"check", "--deepspeed", "all", always}).out ==
          always + ": accepted by DeepSpeed 0.7.0 to 0.19.8\n");
    const Result never =
        run({"check", "--deepspeed", "all",
             folder.file("c", "{\"train_batch_size\": 8, \"zero_optimization\": {\"stage\": 7}}")});
    CHECK(never.status == 1);
    CHECK(never.out.ends_with(": refused by DeepSpeed in all releases\n"));
}

TEST_CASE("check --deepspeed all: an interval in the middle") {
    const Folder folder;
    const std::string file =
        folder.file("a", R"({"train_batch_size": 8, "zero_optimization": {"mics_shard_size": 8}})");
    const std::vector<std::string> out = lines(run({"check", "--deepspeed", "all", file}).out);
    CHECK(out.front() == file + ": refused by DeepSpeed 0.7.0 to 0.9.1:");
    CHECK(std::count(out.begin(), out.end(), file + ": refused by DeepSpeed 0.19.7 to 0.19.8:") == 1);
    CHECK(out.back() == file + ": accepted by DeepSpeed 0.9.2 to 0.19.6");
}

TEST_CASE("check --deepspeed all --format json: a line for each file and release") {
    const Folder folder;
    const Result result = run({"check", "--deepspeed", "all", "--format", "json", folder.file("a", accepted),
                               (folder.path() / "missing").string(), folder.file("b", refused)});
    CHECK(result.status == 3);
    const std::vector<Json> answers = json_lines(result.out);
    REQUIRE(answers.size() == 85 + 1 + 85);
    CHECK(answers[0]["release"] == "0.7.0");
    CHECK(answers[84]["release"] == "0.19.8");
    CHECK(answers[85]["accepted"] == nullptr);
    CHECK(answers[85]["release"] == nullptr);
    CHECK(answers[86]["release"] == "0.7.0");
    CHECK(answers[86]["accepted"] == false);
}

// -------------------------------------------------------------- show, diff

TEST_CASE("show: every field with its value and where that comes from") {
    const Folder folder;
    const std::string file = folder.file("a.json",
                                         "{\"train_batch_size\": 8, \"zero_optimization\": {\n"
                                         "  \"stage\": 3,\n"
                                         "  \"stage3_prefetch_bucket_size\": 15e6,\n"
                                         "  \"cpu_offload\": true,\n"
                                         "  \"offload_param\": {\n"
                                         "    \"device\": \"nvme\"}}}");
    const Result result = run({"show", file});
    CHECK(result.status == 0);
    const std::vector<std::string> out = lines(result.out);
    CHECK(out.at(0) == file + ": accepted by DeepSpeed 0.19.8 (1 warning)");
    CHECK(out.at(1) == "zero_optimization");
    const auto field = [&](const std::string& start) {
        const auto line =
            std::find_if(out.begin(), out.end(), [&](const auto& l) { return l.starts_with(start + ' '); });
        REQUIRE(line != out.end());
        std::string words;  // without the alignment
        for (const char c : *line)
            if (c != ' ' || (!words.empty() && words.back() != ' ')) words += c;
        return words;
    };
    CHECK(field("  stage") == "stage 3 line 2");
    CHECK(field("  prefetch_bucket_size") ==
          "prefetch_bucket_size 15,000,000 line 3, stage3_prefetch_bucket_size");
    CHECK(field("  reduce_bucket_size") == "reduce_bucket_size 500,000,000 default");
    CHECK(field("  model_persistence_threshold") == "model_persistence_threshold sys.maxsize default");
    CHECK(field("  overlap_comm") == "overlap_comm true derived");
    CHECK(field("  offload_param") == "offload_param line 5");
    CHECK(field("    device") == "device \"nvme\" line 6");
    CHECK(field("  offload_optimizer") == "offload_optimizer deprecated key cpu_offload at line 4");
    CHECK(field("  zenflow") == "zenflow null default");
    const std::size_t column = out.at(2).find("line 2");
    CHECK(out.at(3).find("default") == column);
    CHECK(out.at(4).find("default") == column);
}

TEST_CASE("show: several files, one refused") {
    const Folder folder;
    const Result result =
        run({"show", folder.file("a", refused), folder.file("b", "{\"train_batch_size\": 8}")});
    CHECK(result.status == 1);
    CHECK(has(result.out, "[out-of-bounds]"));
    CHECK(has(result.out, "refused by DeepSpeed 0.19.8 (1 error)\n\n"));
    CHECK(has(result.out, "\nzero_optimization\n"));
}

TEST_CASE("show --format json: check's line and the origins") {
    const Result result =
        run({"show", "--format", "json", "-"},
            {.input =
                 "{\"train_batch_size\": 8, \"zero_optimization\": {\"stage\": 2,\n\"cpu_offload\": true}}"});
    CHECK(result.status == 0);
    const Json answer = json_lines(result.out).at(0);
    CHECK(answer["accepted"] == true);
    CHECK(answer["origin"]["stage"] == Json{{"kind", "file"}, {"key", "stage"}, {"line", 1}, {"column", 47}});
    CHECK(answer["document_origin"]["train_batch_size"]["kind"] == "file");
    CHECK(answer["document_origin"]["float16_config.enabled"]["kind"] == "default");
    CHECK(answer["origin"]["overlap_comm"]["kind"] == "derived");
    CHECK(answer["origin"]["reduce_scatter"] ==
          Json{{"kind", "default"}, {"key", nullptr}, {"line", nullptr}, {"column", nullptr}});
    CHECK(answer["origin"]["offload_optimizer.device"]["kind"] == "deprecated_key");
    CHECK(answer["origin"]["offload_optimizer.device"]["key"] == "cpu_offload");
    CHECK(answer["origin"]["offload_optimizer.device"]["line"] == 2);
    for (const auto& member : answer["zero_optimization"].items())
        CHECK(answer["origin"].contains(member.key()));

    const Result bad = run({"show", "--format", "json", "-"}, {.input = refused});
    CHECK(bad.status == 1);
    CHECK(json_lines(bad.out).at(0)["origin"] == nullptr);
}

TEST_CASE("diff: what differs, with both origins; equal ones say so") {
    const Folder folder;
    const std::string a = folder.file("a", R"({"train_batch_size": 8, "zero_optimization": {"stage": 2}})");
    const std::string b = folder.file("b",
                                      "{\"train_batch_size\": 8, \"zero_optimization\": {\"stage\": "
                                      "3,\n\"offload_param\": {\"device\": \"cpu\"}}}");
    const Result result = run({"diff", a, b});
    CHECK(result.status == 0);
    const std::vector<std::string> out = lines(result.out);
    CHECK(out.at(0) == "--- " + a);
    CHECK(out.at(1) == "+++ " + b);
    CHECK(out.at(2) == "- stage                       2              line 1");
    CHECK(out.at(3) == "+ stage                       3              line 1");
    CHECK(out.at(4) == "- overlap_comm                false          derived");
    CHECK(out.at(5) == "+ overlap_comm                true           derived");
    CHECK(out.at(6) == "- offload_param               null           default");
    CHECK(out.at(7) == "+ offload_param                              line 2");
    CHECK(out.at(8) == "+ offload_param.device        \"cpu\"          line 2");
    CHECK(!has(result.out, "reduce_scatter"));

    const Result same =
        run({"diff", a, folder.file("c", "train_batch_size: 8\nzero_optimization: {stage: 2.0}")});
    CHECK(same.status == 0);
    CHECK(same.out.starts_with("No difference: "));
    CHECK(run({"diff", "-", a}, {.input = "{train_batch_size: 8\nzero_optimization: {stage: 2\n}}"})
              .out.starts_with("No difference: "));
}

TEST_CASE("diff: a refused file gives its problems and status 1") {
    const Folder folder;
    const Result result = run({"diff", folder.file("a", refused), folder.file("b", accepted)});
    CHECK(result.status == 1);
    CHECK(has(result.out, "[out-of-bounds]"));
    CHECK(!has(result.out, "---"));
}

TEST_CASE("diff --format json: one line") {
    const Folder folder;
    const Result result = run(
        {"diff", "--format", "json", folder.file("a", "{\"train_batch_size\": 8}"), "-"},
        {.input = R"({"train_batch_size": 8, "zero_optimization": {"stage": 1, "offload_optimizer": {}}})"});
    CHECK(result.status == 0);
    const Json answer = json_lines(result.out).at(0);
    CHECK(answer["b"] == "-");
    CHECK(answer["release"] == "0.19.8");
    const Json& differences = answer["differences"];
    CHECK(differences.at(0)["field"] == "stage");
    CHECK(differences.at(0)["a"]["value"] == 0);
    CHECK(differences.at(0)["b"]["value"] == 1);
    CHECK(differences.at(0)["b"]["origin"]["kind"] == "file");
    CHECK(differences.at(1)["field"] == "offload_optimizer");
    CHECK(differences.at(2)["field"] == "offload_optimizer.device");
    CHECK(differences.at(2)["a"] == nullptr);
}
