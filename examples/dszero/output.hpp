// SPDX-License-Identifier: MIT
//
// Standard output and standard error. What is written is not lost in silence:
// a full disk or a closed pipe ends the tool with a message.
#pragma once

#include <dszero/text/render.hpp>

#include <string_view>

namespace dszero::tool {

/// Standard output took no more; `error` is the errno.
struct WriteFailed {
    int error;
};

class Output {
public:
    Output();

    /// To standard output, buffered. Throws WriteFailed, as flush() does.
    void write(std::string_view text);
    void flush();

    /// To standard error, behind everything that was written so far.
    void write_error(std::string_view text);

    /// Colour on a terminal only, and never with NO_COLOR.
    Style style() const { return style_; }
    Style error_style() const { return error_style_; }

private:
    Style style_;
    Style error_style_;
};

}  // namespace dszero::tool
