// SPDX-License-Identifier: MIT
//
// A directory for files of one test: DSZERO_SCRATCH of the environment or the system's
// place for temporary files, in which everything is gone at the end.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace test {

class ScratchDirectory {
public:
    ScratchDirectory() {
        const char* const chosen = std::getenv("DSZERO_SCRATCH");
        const std::filesystem::path in = chosen ? chosen : std::filesystem::temp_directory_path();
        std::string name = (in / "dszero-test-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no directory in " + in.string());
        path_ = name;
    }
    ScratchDirectory(const ScratchDirectory&) = delete;
    ScratchDirectory& operator=(const ScratchDirectory&) = delete;
    ~ScratchDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    const std::filesystem::path& path() const { return path_; }
    bool empty() const { return std::filesystem::is_empty(path_); }

private:
    std::filesystem::path path_;
};

}  // namespace test
