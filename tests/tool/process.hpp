// SPDX-License-Identifier: MIT
//
// Runs the dszero tool as a user does: arguments, standard input, environment;
// what it printed and how it ended.
#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace tool_test {

namespace fs = std::filesystem;

/// A folder for one test, gone afterwards.
class Folder {
public:
    Folder() {
        std::string name = (fs::temp_directory_path() / "dszero-XXXXXX").string();
        if (!mkdtemp(name.data())) std::abort();
        path_ = name;
    }
    ~Folder() { fs::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    const fs::path& path() const { return path_; }

    /// Writes a file; its path.
    std::string file(const std::string& name, const std::string& text) const {
        std::ofstream(path_ / name, std::ios::binary) << text;
        return (path_ / name).string();
    }

private:
    fs::path path_;
};

inline std::string contents(const fs::path& path) {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

struct Result {
    int status = -1;  ///< -1: it did not exit by itself
    std::string out, err;
};

/// The tool, replacing this process: the child of a fork.
[[noreturn]] inline void become_tool(const std::vector<std::string>& arguments,
                                     const std::string& program = DSZERO_TOOL) {
    std::vector<char*> pointers{const_cast<char*>(program.c_str())};
    for (const std::string& argument : arguments) pointers.push_back(const_cast<char*>(argument.c_str()));
    pointers.push_back(nullptr);
    execv(program.c_str(), pointers.data());
    _exit(127);
}

inline int exit_status(pid_t child) {
    int status = 0;
    if (waitpid(child, &status, 0) != child) return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

struct Setting {
    std::string input{};       ///< standard input
    std::string input_from{};  ///< or a path it comes from
    std::string output_to{};   ///< standard output goes there, and not into Result::out
    std::string working_folder{};
    std::string program = DSZERO_TOOL;
};

inline Result run(const std::vector<std::string>& arguments, const Setting& setting = {}) {
    const Folder folder;
    const std::string in = setting.input_from.empty() ? folder.file("in", setting.input) : setting.input_from;
    const std::string out = setting.output_to.empty() ? folder.file("out", "") : setting.output_to;
    const std::string err = folder.file("err", "");
    const pid_t child = fork();
    if (child == 0) {
        dup2(open(in.c_str(), O_RDONLY), STDIN_FILENO);
        dup2(open(out.c_str(), O_WRONLY), STDOUT_FILENO);
        dup2(open(err.c_str(), O_WRONLY), STDERR_FILENO);
        if (!setting.working_folder.empty() && chdir(setting.working_folder.c_str()) != 0) _exit(126);
        become_tool(arguments, setting.program);
    }
    Result result;
    result.status = exit_status(child);
    if (setting.output_to.empty()) result.out = contents(out);
    result.err = contents(err);
    return result;
}

}  // namespace tool_test
