// SPDX-License-Identifier: MIT
//
// Replacing a file's content so that whoever reads it, at whatever moment, and even
// after a crash, finds the old content or the new one, whole. POSIX.
#pragma once

#include <dszero/text/file.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

namespace dszero {

/// Writes a new file beside `path` (where that is a symbolic link: beside the file it leads to), with the
/// same mode, makes sure that it is on the disk and gives it the old one's name. `was`: what the file must
/// still hold then; so that nobody's changes are lost. Throws std::system_error, with path and operation, or
/// std::runtime_error where the file holds something else; it is then as it was, and the new one is gone.
inline void replace_file(const std::string& path, std::string_view bytes,
                         std::optional<std::string_view> was = {}) {
    struct NewFile {
        int file = -1;
        std::string name;
        ~NewFile() {
            if (file >= 0) close(file);
            if (!name.empty()) unlink(name.c_str());
        }
    } made;
    int& file = made.file;
    const auto fail = [&](const char* operation) {
        throw std::system_error(errno, std::generic_category(), operation + path);
    };
    const std::unique_ptr<char, void (*)(void*)> real(realpath(path.c_str(), nullptr), std::free);
    if (!real) fail("file not found: ");
    const std::string target = real.get();
    struct stat status {};
    if (stat(target.c_str(), &status) != 0) fail("cannot look at ");
    if (!S_ISREG(status.st_mode)) {
        errno = EINVAL;
        fail("no regular file: ");
    }
    if (access(target.c_str(), W_OK) != 0) fail("cannot write ");  // a new file in its place might be allowed

    const std::string directory = target.substr(0, target.rfind('/') + 1);
    std::string name = directory + ".dszero-XXXXXX";
    file = mkostemp(name.data(), O_CLOEXEC);
    if (file < 0) fail("cannot make a file beside ");
    made.name = name;
    if (fchown(file, status.st_uid, status.st_gid) != 0 && errno != EPERM) fail("cannot set the owner of ");
    if (fchmod(file, status.st_mode & 07777) != 0) fail("cannot set the mode of ");
    while (!bytes.empty()) {
        const ssize_t written = write(file, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) fail("cannot write ");
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    if (fsync(file) != 0) fail("cannot write ");
    const int closed = close(file);
    file = -1;
    if (closed != 0) fail("cannot write ");
    if (was && read_file(target, was->size() + 1) != *was)
        throw std::runtime_error(path + " has changed since it was read; it is left as it is");
    if (rename(made.name.c_str(), target.c_str()) != 0) fail("cannot replace ");
    made.name.clear();

    // the new name, too, is to be on the disk; a folder that cannot be opened for that is no failure
    file = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file >= 0 && fsync(file) != 0 && errno != EINVAL && errno != EBADF)
        fail("cannot write the folder of ");
}

}  // namespace dszero
