// SPDX-License-Identifier: MIT
//
// Reading a whole file, and saying exactly why it cannot be read.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <string>
#include <system_error>

namespace dszero {

/// The file's bytes; at most `limit` of them, so that an endless file ends.
/// Throws std::system_error: "file not found: PATH", "cannot open PATH", "cannot read PATH" and the system's
/// reason.
inline std::string read_file(const std::string& path, std::size_t limit) {
    const auto fail = [&](const char* operation) {
        const int reason = errno;
        const std::string what = (reason == ENOENT ? "file not found: " : operation) + path;
        throw std::system_error(reason, std::generic_category(), what);
    };
    struct File {
        std::FILE* handle;
        ~File() {
            if (handle) std::fclose(handle);
        }
    };
    const File file{std::fopen(path.c_str(), "rb")};
    if (!file.handle) fail("cannot open ");
    std::string bytes;
    std::size_t size = 0;
    do {
        const std::size_t room = std::min(limit - size, std::max<std::size_t>(size, 4096));
        bytes.resize(size + room);
        size += std::fread(bytes.data() + size, 1, room, file.handle);
        if (std::ferror(file.handle)) fail("cannot read ");  // a directory opens, but does not read
    } while (size == bytes.size() && size < limit);
    bytes.resize(size);
    return bytes;
}

}  // namespace dszero
