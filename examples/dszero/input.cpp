// SPDX-License-Identifier: MIT
#include "input.hpp"

#include <dszero/config/document.hpp>
#include <dszero/config/judge.hpp>
#include <dszero/text/base64.hpp>
#include <dszero/text/file.hpp>
#include <dszero/text/reader.hpp>
#include <dszero/text/snippet.hpp>
#include <dszero/text/write_json.hpp>

#include <nlohmann/json.hpp>

#include <fnmatch.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

namespace dszero::tool {
namespace {

namespace fs = std::filesystem;

/// About an input as a whole: it has no text to point into.
Diagnostic problem(std::string code, std::string message, std::string hint = {}) {
    Diagnostic d;
    d.code = std::move(code);
    d.message = std::move(message);
    d.hint = std::move(hint);
    d.range.begin.line = d.range.end.line = 0;
    return d;
}

Diagnostic file_problem(int error) {
    switch (error) {
        case ENOENT: return problem("file-not-found", "file not found");
        case EISDIR:
            return problem("is-a-directory", "this is a directory, not a file", "name the files in it");
        case EACCES: return problem("permission-denied", "there is no permission to read it");
        default: return problem("read-error", std::string("cannot be read: ") + std::strerror(error));
    }
}

/// Appends what standard input has now; waits if it has nothing. False at its end, and on an error (errno,
/// else 0).
bool read_some(std::string& text) {
    static std::array<char, 1 << 16> buffer;
    ssize_t size = 0;
    do {
        errno = 0;
        size = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    } while (size < 0 && errno == EINTR);
    if (size <= 0) return false;
    text.append(buffer.data(), static_cast<std::size_t>(size));
    return true;
}

Input read_standard_input() {
    Input input{"<stdin>", "\"-\"", {}, {}};
    while (input.text.size() <= max_document_bytes && read_some(input.text)) {
    }
    if (errno != 0) input.problem = file_problem(errno);
    return input;
}

/// One line of --jsonl.
Input read_line(std::string line, std::size_t number) {
    Input input{"<stdin>", "null", {}, {}};
    const auto bad_line = [&](const std::string& what) {
        input.problem = problem("bad-line", "line " + std::to_string(number) + " of standard input " + what,
                                R"(a line is {"id": "name", "text": "the document"})");
        return input;
    };
    const Source source{"<stdin>", std::move(line)};
    Tree tree;
    Diagnostics problems;
    if (!read(source, {.dialect = Dialect::json}, tree, problems)) {
        finish(source.text, problems);
        return bad_line("is no JSON: " + problems.front().message);
    }
    const auto find_member = [&](const char* key) -> const Json* {
        if (!tree.value.is_object()) return nullptr;
        const auto member = tree.value.find(key);
        return member == tree.value.end() ? nullptr : &*member;
    };
    const auto find_string = [&](const char* key) -> const std::string* {
        const Json* value = find_member(key);
        return value ? value->get_ptr<const std::string*>() : nullptr;
    };
    const Json* id = find_member("id");
    if (!id) return bad_line("has no \"id\"");
    input.file = write_json(*id);
    input.name = id->is_string() ? *id->get_ptr<const std::string*>() : input.file;
    if (const std::string* text = find_string("text")) {
        input.text = *text;
    } else if (const std::string* b64 = find_string("b64")) {
        auto bytes = decode_base64(*b64);
        if (!bytes) return bad_line("has a \"b64\" that is no base64");
        input.text = std::move(*bytes);
    } else {
        return bad_line("has neither \"text\" nor \"b64\", a string");
    }
    return input;
}

/// Longer than any line that holds a document which is not too large itself, escapes apart.
constexpr std::size_t max_line_bytes = 2 * max_document_bytes;

void for_each_line(Output& output, const std::function<void(const Input&)>& visit) {
    std::string pending;      // what has been read and not yet worked on
    std::size_t scanned = 0;  // of that, what is known to hold no line end
    std::size_t number = 0;
    bool too_long = false;  // the line that is being read; what was read of it is forgotten
    const auto take = [&](std::string line) {
        ++number;
        if (std::exchange(too_long, false))
            visit({"<stdin>",
                   "null",
                   {},
                   problem("bad-line", "line " + std::to_string(number) + " of standard input is too long")});
        else if (line.find_first_not_of(" \t\r") != std::string::npos)
            visit(read_line(std::move(line), number));
    };
    for (;;) {
        output.flush();  // whoever waits for an answer has it before the next line is waited for
        const bool more = read_some(pending);
        const int error = errno;
        std::size_t begin = 0;
        for (std::size_t end; (end = pending.find('\n', std::max(begin, scanned))) != std::string::npos;
             begin = end + 1)
            take(pending.substr(begin, end - begin));
        pending.erase(0, begin);
        if (pending.size() > max_line_bytes) too_long = true;
        if (too_long) pending.clear();
        scanned = pending.size();
        if (more) continue;
        if (error != 0) return visit({"<stdin>", "\"-\"", {}, file_problem(error)});
        if (!pending.empty() || too_long) take(std::move(pending));
        return;
    }
}

bool is_pattern(const std::string& argument) { return argument.find_first_of("*?[") != std::string::npos; }

/// Whether a path matches a pattern, component by component; ** stands for any number of them.
/// `as_folder`: whether something below it may.
bool matches(std::string_view pattern, std::string_view path, bool as_folder = false) {
    const std::string part(pattern.substr(0, pattern.find('/')));
    const std::string name(path.substr(0, path.find('/')));
    const bool last_part = part.size() == pattern.size(), last_name = name.size() == path.size();
    const std::string_view more_parts = last_part ? "" : pattern.substr(part.size() + 1);
    const std::string_view more_names = last_name ? "" : path.substr(name.size() + 1);
    if (part == "**")
        return as_folder || (last_part && last_name) || (!last_part && matches(more_parts, path)) ||
               (!last_name && matches(pattern, more_names));
    if (fnmatch(part.c_str(), name.c_str(), FNM_PERIOD) != 0) return false;
    if (last_name) return last_part != as_folder;
    return !last_part && matches(more_parts, more_names, as_folder);
}

/// What there is in a folder: files that are wanted, in order, and folders that could not be read.
struct Found {
    std::vector<std::string> files;
    std::vector<Input> unreadable;
};

/// `enters`, `wants`: whether a folder, by its path, is looked into, and a file taken. Links to folders are
/// not followed: they may lead back.
template <class Enters, class Wants>
Found search(const std::string& folder, Enters&& enters, Wants&& wants) {
    Found found;
    std::vector<std::string> folders{folder};
    while (!folders.empty()) {
        const std::string here = std::move(folders.back());
        folders.pop_back();
        std::error_code error;
        fs::directory_iterator entry(here, error);
        for (const fs::directory_iterator end; !error && entry != end; entry.increment(error)) {
            std::error_code ignored;  // of a link that leads nowhere
            const std::string path = entry->path().string();
            if (entry->symlink_status(ignored).type() == fs::file_type::directory) {
                if (enters(path)) folders.push_back(path);
            } else if (entry->is_regular_file(ignored) && wants(path)) {
                found.files.push_back(path);
            }
        }
        if (error) found.unreadable.push_back({here, write_json(here), {}, file_problem(error.value())});
    }
    std::sort(found.files.begin(), found.files.end());
    return found;
}

void visit_found(const std::string& argument, const Found& found,
                 const std::function<void(const Input&)>& visit) {
    for (const Input& folder : found.unreadable) visit(folder);
    if (found.files.empty() && found.unreadable.empty()) {
        visit({argument,
               write_json(argument),
               {},
               problem("nothing-found", "there is no JSON file in it"),
               true});
        return;
    }
    for (const std::string& file : found.files) {
        Input input = read_input(file);
        input.found = true;
        visit(input);
    }
}

void visit_argument(const std::string& argument, const std::function<void(const Input&)>& visit) {
    std::error_code error;
    if (argument == "-" || fs::is_regular_file(argument, error)) return visit(read_input(argument));
    if (fs::is_directory(argument, error))
        return visit_found(argument,
                           search(
                               argument, [](const std::string&) { return true; },
                               [](const std::string& path) { return path.ends_with(".json"); }),
                           visit);
    if (!is_pattern(argument) || fs::exists(argument, error)) return visit(read_input(argument));
    const std::size_t fixed = argument.rfind('/', argument.find_first_of("*?["));
    const bool here = fixed == std::string::npos;
    const std::string folder = here ? "." : argument.substr(0, std::max<std::size_t>(fixed, 1));
    const std::string pattern = here ? "./" + argument : argument;
    visit_found(argument,
                search(
                    folder, [&](const std::string& path) { return matches(pattern, path, true); },
                    [&](const std::string& path) { return matches(pattern, path); }),
                visit);
}

}  // namespace

namespace {

/// Whether a document looks like a ds_config, and not like another program's JSON.
bool is_ds_config(const Document& document) {
    if (document.tree.nodes.empty()) {  // not readable: does it try to be one?
        for (const std::string_view key :
             {"zero_optimization", "train_batch_size", "train_micro_batch_size_per_gpu"})
            if (document.source.text.find(key) != std::string::npos) return true;
        return false;
    }
    const auto* object = document.tree.value.get_ptr<const Json::object_t*>();
    if (!object) return false;
    for (const auto& [key, value] : *object) {
        if (key == "train_batch_size" || key == "train_micro_batch_size_per_gpu" ||
            key == "zero_optimization")
            return true;
        if (value.is_object() && is_top_level_key(key)) return true;
    }
    return false;
}

}  // namespace

bool skips(const Input& input, const Document& document, Output& output) {
    if (!input.found || is_ds_config(document)) return false;
    std::string note;
    append_visible(note, input.name);
    output.write_error(note + ": skipped, no ds_config\n");
    return true;
}

Input read_input(const std::string& argument) {
    if (argument == "-") return read_standard_input();
    Input input{argument, write_json(argument), {}, {}};
    input.is_file = true;
    try {
        input.text = read_file(argument, max_document_bytes + 1);
    } catch (const std::system_error& e) {
        input.problem = file_problem(e.code().value());
    }
    return input;
}

void for_each_input(const Options& options, Output& output, const std::function<void(const Input&)>& visit) {
    if (options.json_lines) return for_each_line(output, visit);
    for (const std::string& file : options.files) visit_argument(file, visit);
}

}  // namespace dszero::tool
