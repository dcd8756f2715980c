// SPDX-License-Identifier: MIT
//
// The tool beside another program (--jsonl) and on a terminal (colour).
#include "process.hpp"
#include "support/catch.hpp"

#include <nlohmann/json.hpp>

#include <poll.h>

#include <array>
#include <string>
#include <vector>

using tool_test::run;
using Json = nlohmann::ordered_json;

namespace {

std::vector<Json> answers_to(const std::string& input, int status,
                             std::vector<std::string> call = {"check", "--section", "zero_optimization",
                                                              "--jsonl"}) {
    const tool_test::Result result = run(call, {.input = input});
    CHECK(result.status == status);
    CHECK(result.err.empty());
    std::vector<Json> answers;
    for (std::size_t begin = 0, end; (end = result.out.find('\n', begin)) != std::string::npos;
         begin = end + 1)
        answers.push_back(Json::parse(result.out.substr(begin, end - begin)));
    return answers;
}

/// The tool with its standard input and output on pipes.
class Conversation {
public:
    Conversation() {
        std::array<int, 2> in{}, out{};
        if (pipe(in.data()) != 0 || pipe(out.data()) != 0) std::abort();
        child_ = fork();
        if (child_ == 0) {
            dup2(in[0], STDIN_FILENO);
            dup2(out[1], STDOUT_FILENO);
            for (const int end : {in[0], in[1], out[0], out[1]}) close(end);
            tool_test::become_tool({"check", "--section", "zero_optimization", "--jsonl"});
        }
        close(in[0]);
        close(out[1]);
        to_ = in[1];
        from_ = out[0];
    }

    void say(const std::string& text) const {
        if (write(to_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) std::abort();
    }

    /// One line, or nothing if none comes within some seconds.
    std::string hear() const {
        std::string line;
        char c = 0;
        pollfd ready{from_, POLLIN, 0};
        while (c != '\n' && poll(&ready, 1, 20'000) == 1 && read(from_, &c, 1) == 1) line += c;
        return line;
    }

    int end() {
        close(to_);
        const int status = tool_test::exit_status(child_);
        close(from_);
        return status;
    }

private:
    pid_t child_ = -1;
    int to_ = -1, from_ = -1;
};

/// What the tool writes when its standard output is a terminal.
std::string on_terminal(const std::vector<std::string>& call, const char* no_color) {
    const int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    if (terminal < 0 || grantpt(terminal) != 0 || unlockpt(terminal) != 0) return {};
    const std::string name = ptsname(terminal);
    const int other_end = open(name.c_str(), O_RDWR | O_NOCTTY);
    const pid_t child = fork();
    if (child == 0) {
        dup2(other_end, STDOUT_FILENO);
        close(other_end);
        close(terminal);
        setenv("TERM", "xterm", 1);
        if (no_color)
            setenv("NO_COLOR", no_color, 1);
        else
            unsetenv("NO_COLOR");
        tool_test::become_tool(call);
    }
    close(other_end);
    std::string out;
    std::array<char, 4096> buffer{};
    for (ssize_t size;
         (size = read(terminal, buffer.data(), buffer.size())) > 0;)  // an error once the child is gone
        out.append(buffer.data(), static_cast<std::size_t>(size));
    tool_test::exit_status(child);
    close(terminal);
    return out;
}

}  // namespace

TEST_CASE("--jsonl: an answer for each line, in order, with the id for file") {
    const auto answers = answers_to(R"({"id": "a", "text": "{}"}
{"id": "b", "text": "{\"train_batch_size\": 8, \"zero_optimization\": {\"stage\": 9}}"}
{"text": "{train_batch_size: 8\nzero_optimization: {stage: 1\n}}", "more": [], "id": "\ud83d\ude00"}
)",
                                    1);
    REQUIRE(answers.size() == 3);
    CHECK(answers[0]["file"] == "a");
    CHECK(answers[0]["accepted"] == true);
    CHECK(answers[1]["file"] == "b");
    CHECK(answers[1]["accepted"] == false);
    CHECK(answers[2]["file"] == "\U0001F600");
    CHECK(answers[2]["zero_optimization"]["stage"] == 1);
}

TEST_CASE("--jsonl: any JSON value can be the id; the last line needs no end; blank ones and CR LF pass") {
    const auto answers =
        answers_to("{\"id\": 7, \"text\": \"\"}\r\n\n  \n{\"id\": [1, null], \"text\": \"{}\"}", 0);
    REQUIRE(answers.size() == 2);
    CHECK(answers[0]["file"] == 7);
    CHECK(answers[1]["file"] == Json::array({1, nullptr}));
    CHECK(answers_to("", 0).empty());
}

TEST_CASE("--jsonl: raw bytes come as b64") {
    const auto answers = answers_to(R"({"id": 1, "b64": "e30="}
{"id": 2, "b64": "/w=="}
{"id": 3, "b64": "77u/e30="}
)",
                                    1);
    REQUIRE(answers.size() == 3);
    CHECK(answers[0]["accepted"] == true);
    CHECK(answers[1]["accepted"] == false);  // the byte 0xFF
    CHECK(answers[1]["diagnostics"].at(0)["code"] == "invalid-utf8");
    CHECK(answers[2]["accepted"] == true);  // a byte-order mark
}

TEST_CASE("--jsonl: a line that is no document is said so, and the next one answered") {
    const auto answers = answers_to(
        "nonsense\n[]\n{\"id\": 1}\n{\"text\": \"{}\"}\n{\"id\": 2, \"text\": 5}\n"
        "{\"id\": 3, \"b64\": \"x\"}\n{\"id\": 4, \"text\": \"{}\"}\n",
        3);
    REQUIRE(answers.size() == 7);
    for (std::size_t i = 0; i < 6; ++i) {
        CHECK(answers[i]["accepted"] == nullptr);
        CHECK(answers[i]["diagnostics"].at(0)["code"] == "bad-line");
        const std::string message = answers[i]["diagnostics"][0]["message"];
        CHECK(message.starts_with("line " + std::to_string(i + 1) + " "));
    }
    CHECK(answers[0]["file"] == nullptr);
    CHECK(answers[2]["file"] == 1);
    CHECK(answers[6]["accepted"] == true);
}

TEST_CASE("--jsonl: lines of any length, many of them") {
    std::string input;
    for (int i = 0; i < 2000; ++i) input += "{\"id\": " + std::to_string(i) + ", \"text\": \"{}\"}\n";
    input += "{\"id\": \"long\", \"text\": \"{} //" + std::string(1'000'000, ' ') + "\"}\n";
    const auto answers = answers_to(input, 0);
    REQUIRE(answers.size() == 2001);
    CHECK(answers[1999]["file"] == 1999);
    CHECK(answers[2000]["file"] == "long");
}

TEST_CASE("--jsonl: a line that does not end is given up, not kept") {
    const std::string huge(std::size_t{140} << 20, ' ');
    const auto answers = answers_to(huge + "\n{\"id\": 2, \"text\": \"{}\"}\n" + huge, 3);
    REQUIRE(answers.size() == 3);
    CHECK(answers[0]["diagnostics"][0]["message"] == "line 1 of standard input is too long");
    CHECK(answers[1]["file"] == 2);
    CHECK(answers[2]["diagnostics"][0]["message"] == "line 3 of standard input is too long");
}

TEST_CASE("--jsonl: show answers too, text and every release on request") {
    CHECK(answers_to("{\"id\": 1, \"text\": \"train_batch_size: 8\"}\n", 0, {"show", "--jsonl"})
              .at(0)["origin"]["stage"]["kind"] == "default");
    CHECK(answers_to("{\"id\": 1, \"text\": \"{}\"}\n", 0,
                     {"check", "--section", "zero_optimization", "--jsonl", "--deepspeed", "all"})
              .size() == 85);
    const auto text = run({"check", "--section", "zero_optimization", "--jsonl", "--format", "text"},
                          {.input = "{\"id\": 1, \"text\": \"{}\"}\n"});
    CHECK(text.out == "1: accepted by DeepSpeed 0.19.8\n");
}

TEST_CASE("--jsonl: an answer comes before the next line is waited for") {
    Conversation with_tool;
    with_tool.say("{\"id\": 1, \"text\": \"{}\"}\n{\"id\": 2, \"te");
    CHECK(with_tool.hear().starts_with("{\"file\":1,"));
    with_tool.say("xt\": \"{}\"}\n");
    CHECK(with_tool.hear().starts_with("{\"file\":2,"));
    CHECK(with_tool.end() == 0);
}

TEST_CASE("colour: on a terminal, unless NO_COLOR; never elsewhere, never in JSON") {
    const tool_test::Folder folder;
    const std::string file =
        folder.file("a.json", R"({"train_batch_size": 8, "zero_optimization": {"stage": 9}})");
    const std::string coloured = on_terminal({"check", file}, nullptr);
    if (coloured.empty()) return;  // no terminals here
    CHECK(coloured.find("\x1b[1;31merror: ") != std::string::npos);
    CHECK(on_terminal({"check", file}, "").find('\x1b') !=
          std::string::npos);  // as https://no-color.org has it
    CHECK(on_terminal({"check", file}, "1").find('\x1b') == std::string::npos);
    CHECK(on_terminal({"check", "--format", "json", file}, nullptr).find('\x1b') == std::string::npos);
    CHECK(run({"check", file}).out.find('\x1b') == std::string::npos);
}
