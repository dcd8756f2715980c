// SPDX-License-Identifier: MIT
//
// Something tried in a process of its own, which may lose rights, hit limits or be killed.
#pragma once

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <exception>
#include <stdexcept>
#include <string>

namespace test {

class ChildProcess {
public:
    /// Starts f(say) in a copy of this process; say(text) tells the parent. An exception is told, too.
    template <class F>
    explicit ChildProcess(const F& f) {
        int ends[2];
        if (::pipe(ends) != 0) throw std::runtime_error("pipe");
        process_ = ::fork();
        if (process_ < 0) throw std::runtime_error("fork");
        if (process_ == 0) {
            ::close(ends[0]);
            const auto say = [&](const std::string& text) {
                if (::write(ends[1], text.data(), text.size()) < 0) ::_exit(1);
            };
            try {
                f(say);
            } catch (const std::exception& e) {
                say(std::string("exception: ") + e.what());
            }
            ::_exit(0);
        }
        ::close(ends[1]);
        from_child_ = ends[0];
    }
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;
    ~ChildProcess() {
        kill();
        ::close(from_child_);
    }

    /// What it said by its end.
    std::string all() {
        std::string text;
        char buffer[4096];
        for (ssize_t n; (n = ::read(from_child_, buffer, sizeof buffer)) > 0;)
            text.append(buffer, static_cast<std::size_t>(n));
        return text;
    }
    /// Waits until it says something.
    void wait_for_word() {
        char c;
        while (::read(from_child_, &c, 1) < 0) {
        }
    }
    void kill() {
        if (process_ <= 0) return;
        ::kill(process_, SIGKILL);
        int status = 0;
        ::waitpid(process_, &status, 0);
        process_ = 0;
    }

private:
    pid_t process_ = 0;
    int from_child_ = -1;
};

/// In a child: nobody's rights instead of root's.
inline void drop_rights() {
    constexpr uid_t nobody = 65534;
    if (::geteuid() == 0 && (::setgid(nobody) != 0 || ::setuid(nobody) != 0))
        throw std::runtime_error("setuid");
}

/// In a child: room for some hundred threads' stacks. Not under a sanitizer, which takes up more itself.
inline void limit_address_space() {
    const rlimit limit{rlim_t{1} << 30, rlim_t{1} << 30};
    if (::setrlimit(RLIMIT_AS, &limit) != 0) throw std::runtime_error("setrlimit");
}

inline void limit_locked_memory(rlim_t bytes) {
    const rlimit limit{bytes, bytes};
    if (::setrlimit(RLIMIT_MEMLOCK, &limit) != 0) throw std::runtime_error("setrlimit");
}

}  // namespace test
