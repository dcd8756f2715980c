// SPDX-License-Identifier: MIT
#include "output.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace dszero::tool {
namespace {

Style style_for(std::FILE* stream) {
    const char* no_color = std::getenv("NO_COLOR");  // https://no-color.org
    const char* terminal = std::getenv("TERM");
    const bool unwanted = (no_color && *no_color) || (terminal && std::string_view(terminal) == "dumb");
    return !unwanted && isatty(fileno(stream)) ? Style::colour : Style::plain;
}

}  // namespace

Output::Output() : style_(style_for(stdout)), error_style_(style_for(stderr)) {
    static char buffer[1 << 16];
    std::setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
}

void Output::write(std::string_view text) {
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) throw WriteFailed{errno};
}

void Output::flush() {
    if (std::fflush(stdout) != 0) throw WriteFailed{errno};
}

void Output::write_error(std::string_view text) {
    flush();
    std::fwrite(text.data(), 1, text.size(), stderr);
}

}  // namespace dszero::tool
