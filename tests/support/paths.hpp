// SPDX-License-Identifier: MIT
//
// Where the tests' data lies. CMake says it.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

namespace test {

/// tests/data: always there.
inline std::filesystem::path data() { return DSZERO_TEST_DATA; }

/// shared/ beside the checkout: corpus, conformance, json-suite. Not everybody has it.
inline std::filesystem::path shared() { return DSZERO_SHARED; }

inline std::string read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error("cannot open " + path.string());
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace test
