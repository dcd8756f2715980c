// SPDX-License-Identifier: MIT
//
// The brackets that are open while a dialect reads: how deep, and what to say
// about one that is missing.
#pragma once

#include <dszero/text/mend.hpp>
#include <dszero/text/scanner.hpp>
#include <dszero/text/tree_builder.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace dszero {

class Nesting {
public:
    Nesting(Scanner& scanner, const TreeBuilder& tree) : in_(scanner), tree_(tree) {}

    /// At an opening bracket. False, with the problem, if that many are open already.
    bool enter(const char* p, std::size_t deepest) {
        if (open_.size() == deepest) {
            in_.fail(Failure::fatal, "too-deep", in_.character(p),
                     "nested too deeply: Python's reader gives up after about " + std::to_string(deepest) +
                         " levels");
            return false;
        }
        open_.push_back(in_.offset(p));
        return true;
    }

    void leave() { open_.pop_back(); }
    void restart() { open_.truncate(0); }

    /// The innermost bracket that is open: '{', '[', or NUL if there is none.
    char innermost() const { return open_.empty() ? '\0' : in_.text[open_.back()]; }

    /// The text is at its end, and a bracket is open.
    std::nullptr_t never_closed() {
        const char bracket = innermost();
        const char closing = bracket == '{' ? '}' : ']';
        return in_.syntax_error({open_.back(), open_.back() + 1},
                                std::string("this '") + bracket + "' is never closed",
                                std::string("add the missing '") + closing + "'" + misaligned());
    }

    /// There is something behind the document's value.
    std::nullptr_t document_is_over(const char* p) {
        const bool bracket = *p == '}' || *p == ']';
        return in_.syntax_error(
            in_.character(p),
            "the document's value ends before this: expected the end of the text, found " + in_.found(p),
            bracket ? "remove it" + misaligned() : "a document holds one value");
    }

private:
    /// Where the indentation disagrees with the brackets.
    std::string misaligned() const {
        const Span span = first_misaligned(in_.text, tree_.nodes());
        if (span == Span()) return {};
        const std::string opening(1, in_.text[span.begin]);
        const std::string closing(1, in_.text[span.end - 1]);
        return "; look at the '" + closing + "' on " + in_.line_of(span.end - 1) + ", which closes the '" +
               opening + "' of " + in_.line_of(span.begin) + " but is indented differently";
    }

    Scanner& in_;
    const TreeBuilder& tree_;
    SmallVector<std::uint32_t, 16> open_;  // where they stand
};

}  // namespace dszero
