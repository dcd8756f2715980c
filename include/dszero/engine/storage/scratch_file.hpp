// SPDX-License-Identifier: MIT
//
// A file that nobody else sees and that leaves nothing behind, whatever ends the process.
// Its space is reserved when it is made: a full disk is an error before training, not in
// the middle of a step.
#pragma once

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

namespace dszero {

/// The system's calls that can fail; tests have others fail on purpose.
struct FileCalls {
    int (*open_unnamed)(const char* directory) = [](const char* directory) {
        return ::open(directory, O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
    };
    int (*reserve)(int file, off_t offset, off_t bytes) = ::posix_fallocate;  ///< returns the error
    int (*set_flags)(int file, int flags) = [](int file, int flags) { return ::fcntl(file, F_SETFL, flags); };
    ssize_t (*pread)(int file, void* to, std::size_t bytes, off_t offset) = ::pread;
    ssize_t (*pwrite)(int file, const void* from, std::size_t bytes, off_t offset) = ::pwrite;
};

class ScratchFile {
public:
    /// `bytes` of zeros, reserved. Throws std::invalid_argument if the directory is relative, and
    /// std::system_error if it is missing or read-only, or the space is not there.
    ScratchFile(const std::filesystem::path& directory, std::uint64_t bytes, const FileCalls& calls = {});
    ScratchFile(ScratchFile&& other) noexcept
        : calls_(other.calls_),
          directory_(std::move(other.directory_)),
          file_(std::exchange(other.file_, -1)),
          bytes_(other.bytes_) {}
    ScratchFile& operator=(ScratchFile&&) = delete;
    ~ScratchFile() {
        if (file_ >= 0) ::close(file_);
    }

    std::uint64_t size() const { return bytes_; }
    std::string name() const { return "scratch file in " + directory_.string(); }
    int descriptor() const { return file_; }

    /// Moves all bytes, however many calls that takes. Throws std::system_error. Any thread may call them.
    void read(std::uint64_t offset, std::span<std::byte> to) const;
    void write(std::uint64_t offset, std::span<const std::byte> from) const;

    /// Past the page cache (O_DIRECT), or through it. False: the file system refuses.
    bool use_direct_io(bool direct);

    /// Throws std::system_error: "scratch file in /nvme: reading 4096 bytes at offset 0: Input/output error".
    [[noreturn]] void fail(int error, const char* operation, std::size_t bytes, std::uint64_t offset) const;

private:
    template <class Call>
    void move_all(const char* operation, std::uint64_t offset, std::size_t bytes, const Call& call) const;

    FileCalls calls_;
    std::filesystem::path directory_;
    int file_ = -1;
    std::uint64_t bytes_;
};

// ---- Implementation ----

/// Where a file system has no unnamed files: a name that nobody else has, for as long as it takes to drop it.
inline int open_and_unlink(const std::filesystem::path& directory) {
    std::string name = (directory / "dszero-XXXXXX").string();
    const int file = ::mkostemp(name.data(), O_CLOEXEC);
    if (file >= 0) ::unlink(name.c_str());
    return file;
}

inline ScratchFile::ScratchFile(const std::filesystem::path& directory, std::uint64_t bytes,
                                const FileCalls& calls)
    : calls_(calls), directory_(directory), bytes_(bytes) {
    const std::string shown = "nvme_path \"" + directory.string() + '"';
    if (!directory.is_absolute())
        throw std::invalid_argument(shown + " is relative: give an absolute path, the same for every rank");
    file_ = calls_.open_unnamed(directory.c_str());
    if (file_ < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL))
        file_ = open_and_unlink(directory);
    if (file_ < 0) {
        const int why = errno;  // before a string is made, which may change it
        throw std::system_error(why, std::generic_category(),
                                shown +
                                    ": cannot make a file there (it has to be a directory that exists "
                                    "and can be written to)");
    }
    if (bytes == 0) return;
    int error = EINTR;
    while (error == EINTR) error = calls_.reserve(file_, 0, static_cast<off_t>(bytes));
    if (error == 0) return;
    struct statvfs disk {};
    const bool known = ::fstatvfs(file_, &disk) == 0;
    ::close(file_);
    throw std::system_error(
        error, std::generic_category(),
        shown + ": cannot reserve " + std::to_string(bytes) + " bytes" +
            (known ? " (" + std::to_string(disk.f_bavail * disk.f_frsize) + " are free)" : std::string()));
}

inline void ScratchFile::fail(int error, const char* operation, std::size_t bytes,
                              std::uint64_t offset) const {
    throw std::system_error(error, std::generic_category(),
                            name() + ": " + operation + ' ' + std::to_string(bytes) + " bytes at offset " +
                                std::to_string(offset));
}

template <class Call>
void ScratchFile::move_all(const char* operation, std::uint64_t offset, std::size_t bytes,
                           const Call& call) const {
    for (std::size_t done = 0; done < bytes;) {
        const ssize_t moved = call(done, static_cast<off_t>(offset + done));
        if (moved > 0)
            done += static_cast<std::size_t>(moved);
        else if (moved == 0)  // the file is shorter than it was made, or takes no more
            fail(EIO, operation, bytes, offset);
        else if (const int why = errno; why != EINTR)
            fail(why, operation, bytes, offset);
    }
}

inline void ScratchFile::read(std::uint64_t offset, std::span<std::byte> to) const {
    move_all("reading", offset, to.size(), [&](std::size_t done, off_t at) {
        return calls_.pread(file_, to.data() + done, to.size() - done, at);
    });
}

inline void ScratchFile::write(std::uint64_t offset, std::span<const std::byte> from) const {
    move_all("writing", offset, from.size(), [&](std::size_t done, off_t at) {
        return calls_.pwrite(file_, from.data() + done, from.size() - done, at);
    });
}

inline bool ScratchFile::use_direct_io(bool direct) {
    return calls_.set_flags(file_, O_RDWR | (direct ? O_DIRECT : 0)) == 0;
}

}  // namespace dszero
