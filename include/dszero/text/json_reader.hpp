// SPDX-License-Identifier: MIT
//
// The grammar of JSON as Python's json module understands it (json.load, which
// DeepSpeed used before 0.8.1 and Accelerate still uses): RFC 8259, and also
// NaN, Infinity and -Infinity. 1e400 is infinity; a byte-order mark is refused.
#pragma once

#include <dszero/text/mend.hpp>
#include <dszero/text/nesting.hpp>
#include <dszero/text/number.hpp>
#include <dszero/text/scanner.hpp>
#include <dszero/text/tree_builder.hpp>

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>

namespace dszero {

class JsonReader {
public:
    /// Python's limit on recursion is met at about 995 levels.
    static constexpr std::size_t deepest = 990;

    JsonReader(Scanner& scanner, TreeBuilder& tree) : in_(scanner), tree_(tree), nesting_(scanner, tree) {}

    /// The whole text. A failure is the scanner's problem.
    bool read() {
        constexpr std::string_view mark = "\xEF\xBB\xBF";
        const char* p = in_.text.data();
        if (looking_at(p, mark)) {
            in_.syntax_error(in_.span(p, p + mark.size()), "Python's json module takes no byte-order mark",
                             "save the file as UTF-8 without it");
            return false;
        }
        p = read_value(skip(p), {});
        if (p == nullptr) return false;
        p = skip(p);
        if (p != in_.end) nesting_.document_is_over(p);
        return p == in_.end;
    }

private:
    const char* read_value(const char* p, const Key& key) {
        constexpr double infinity = std::numeric_limits<double>::infinity();
        switch (*p) {
            case '{': return read_object(p, key);
            case '[': return read_array(p, key);
            case '"': {
                std::string_view content;
                const char* const after = read_quoted(p, content);
                if (after != nullptr) tree_.add_string(key, in_.span(p, after), content);
                return after;
            }
            case 't':
                if (!looking_at(p, "true")) break;
                tree_.add_boolean(key, in_.span(p, p + 4), true);
                return p + 4;
            case 'f':
                if (!looking_at(p, "false")) break;
                tree_.add_boolean(key, in_.span(p, p + 5), false);
                return p + 5;
            case 'n':
                if (!looking_at(p, "null")) break;
                tree_.add_null(key, in_.span(p, p + 4));
                return p + 4;
            case 'N':
                if (!looking_at(p, "NaN")) break;
                tree_.add_number(key, in_.span(p, p + 3),
                                 real_number(std::numeric_limits<double>::quiet_NaN()));
                return p + 3;
            case 'I':
                if (!looking_at(p, "Infinity")) break;
                tree_.add_number(key, in_.span(p, p + 8), real_number(infinity));
                return p + 8;
            case '-':
                if (is(p[1], ascii_digit)) return read_number(p, key);
                if (!looking_at(p, "-Infinity")) break;
                tree_.add_number(key, in_.span(p, p + 9), real_number(-infinity));
                return p + 9;
            default:
                if (is(*p, ascii_digit)) return read_number(p, key);
        }
        return unexpected(p, "a value");
    }

    const char* read_object(const char* p, const Key& key) {
        if (!nesting_.enter(p, deepest)) return nullptr;
        const TreeBuilder::Open object = tree_.open(key, in_.offset(p));
        p = skip(p + 1);
        if (*p != '}') {
            if (!(p = read_member(p, "a key in double quotes or '}'"))) return nullptr;
            while (*p == ',')
                if (!(p = read_member(skip(p + 1), "a key in double quotes"))) return nullptr;
            if (*p != '}') return unexpected(p, "',' or '}'");
        }
        ++p;
        tree_.close_object(key, object, in_.offset(p));
        nesting_.leave();
        return p;
    }

    const char* read_member(const char* p, const char* expected) {
        if (*p != '"') return unexpected(p, expected);
        Key key;
        const char* const begin = p;
        if (!(p = read_quoted(p, key.name))) return nullptr;
        key.span = in_.span(begin, p);
        p = skip(p);
        if (*p != ':') return unexpected(p, "':'");
        p = read_value(skip(p + 1), key);
        return p == nullptr ? nullptr : skip(p);
    }

    const char* read_array(const char* p, const Key& key) {
        if (!nesting_.enter(p, deepest)) return nullptr;
        const TreeBuilder::Open array = tree_.open(key, in_.offset(p));
        p = skip(p + 1);
        if (*p != ']') {
            for (;; p = skip(p + 1)) {
                if (!(p = read_value(p, {}))) return nullptr;
                p = skip(p);
                if (*p != ',') break;
            }
            if (*p != ']') return unexpected(p, "',' or ']'");
        }
        ++p;
        tree_.close_array(key, array, in_.offset(p));
        nesting_.leave();
        return p;
    }

    const char* read_quoted(const char* const opening, std::string_view& content) {
        const char* const p = next_stop(opening + 1);
        if (*p != '"') return read_escaped(opening, p, content);
        content = {opening + 1, static_cast<std::size_t>(p - opening - 1)};
        return p + 1;
    }

    /// A single quote is nothing special here.
    const char* next_stop(const char* p) const {
        p = find_string_stop(p, in_.end);
        while (*p == '\'') p = find_string_stop(p + 1, in_.end);
        return p;
    }

    const char* read_escaped(const char* opening, const char* p, std::string_view& content) {
        std::string& out = in_.decoding();
        const std::size_t begin = out.size();
        const char* copied = opening + 1;
        while (*p != '"') {
            if (*p != '\\') return in_.unfinished_string(opening, p);
            out.append(copied, p);
            copied = p = read_escape(p, out);
            if (p == nullptr) return nullptr;
            p = next_stop(p);
        }
        out.append(copied, p);
        content = std::string_view(out).substr(begin);
        return p + 1;
    }

    const char* read_escape(const char* p, std::string& out) {
        constexpr std::string_view letters = "\"\\/bfnrt";
        constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
        const std::size_t which = p + 1 == in_.end ? std::string_view::npos : letters.find(p[1]);
        if (which != std::string_view::npos) {
            out += meanings[which];
            return p + 2;
        }
        if (p[1] != 'u') return in_.unknown_escape(p);
        const int unit = code_unit(p);
        if (unit < 0) return in_.malformed_unicode_escape(p);
        p += 6;
        auto character = static_cast<char32_t>(unit);
        if ((unit & 0xFC00) == 0xD800 && looking_at(p, "\\u")) {
            const int second = code_unit(p);
            if (second >= 0xDC00 && second <= 0xDFFF) {
                character = static_cast<char32_t>(0x10000 + ((unit - 0xD800) << 10) + (second - 0xDC00));
                p += 6;
            }
        }
        append_code_point(out, character);
        return p;
    }

    /// The four hexadecimal digits of the \u at p; -1 if they are anything else.
    static int code_unit(const char* p) {
        int unit = 0;
        for (int i = 2; i < 6; ++i) {
            const char c = p[i];
            if (is(c, ascii_digit)) {
                unit = unit * 16 + (c - '0');
            } else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) {
                unit = unit * 16 + ((c | 0x20) - 'a' + 10);
            } else {
                return -1;  // the NUL at the end of the text as well, so nothing behind it is looked at
            }
        }
        return unit;
    }

    const char* read_number(const char* const begin, const Key& key) {
        const auto skip_digits = [](const char* from) {
            while (is(*from, ascii_digit)) ++from;
            return from;
        };
        const char* p = begin + (*begin == '-' ? 1 : 0);
        p = *p == '0' ? p + 1 : skip_digits(p);
        bool integer = true;
        if (*p == '.' && is(p[1], ascii_digit)) {
            integer = false;
            p = skip_digits(p + 1);
        }
        if (*p == 'e' || *p == 'E') {
            const char* const digits = p + (p[1] == '-' || p[1] == '+' ? 2 : 1);
            if (is(*digits, ascii_digit)) {
                integer = false;
                p = skip_digits(digits);
            }
        }
        const Span span = in_.span(begin, p);
        const std::string_view spelled = spelling(in_.text, span);
        if (integer && spelled.size() > max_integer_digits + (*begin == '-'))
            return in_.fail(Failure::fatal, "number-range", span,
                            "an integer of more than 4300 digits: Python refuses to convert it");
        tree_.add_number(key, span, integer ? to_integer(spelled) : real_number(to_double(spelled)));
        return p;
    }

    const char* skip(const char* p) const { return skip_blanks(p, in_.end); }

    std::nullptr_t unexpected(const char* p, const char* expected) {
        if (p == in_.end && nesting_.innermost() != '\0') return nesting_.never_closed();
        return in_.syntax_error(in_.character(p),
                                std::string("expected ") + expected + ", found " + in_.found(p), hint(p));
    }

    std::string hint(const char* p) const {
        if (*p == '\'') return "strings take double quotes in JSON";
        if (*p == '#' || looking_at(p, "//") || looking_at(p, "/*")) return "JSON has no comments";
        if (*p == '}' || *p == ']') {
            const char* before = p;
            while (before != in_.text.data() && is(before[-1], blank)) --before;
            const bool comma = before != in_.text.data() && before[-1] == ',';
            return comma ? "remove the comma in front of it: JSON takes none there" : "";
        }
        constexpr std::size_t longest = 40;
        std::size_t length = 0;
        while (length < longest && !is(p[length], blank) && !is(p[length], value_stop)) ++length;
        const std::string better = json_spelling({p, length});
        return better.empty() ? better : "write " + better;
    }

    Scanner& in_;
    TreeBuilder& tree_;
    Nesting nesting_;
};

}  // namespace dszero
