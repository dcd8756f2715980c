// SPDX-License-Identifier: MIT
//
// The grammar of Hjson as hjson-py 3.1.0 understands it: JSON with comments,
// without most of its commas and quotes, and if one likes without outer braces.
// One pass of recursive descent; the verdict and value are hjson-py's in every
// corner, the messages are ours. Strings in quotes: hjson_string.hpp.
#pragma once

#include <dszero/text/hjson_literal.hpp>
#include <dszero/text/hjson_string.hpp>
#include <dszero/text/mend.hpp>
#include <dszero/text/nesting.hpp>
#include <dszero/text/number.hpp>
#include <dszero/text/scanner.hpp>
#include <dszero/text/tree_builder.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace dszero {

class HjsonReader {
public:
    /// hjson-py meets Python's limit on recursion at about 495 levels.
    static constexpr std::size_t deepest = 490;

    HjsonReader(Scanner& scanner, TreeBuilder& tree, bool line_ends_translated)
        : in_(scanner), tree_(tree), strings_(scanner, line_ends_translated), nesting_(scanner, tree) {}

    /// The whole text. A failure is the scanner's problem.
    bool read() {
        const char* const begin = in_.text.data();
        const char* const first = skip_byte_order_mark(begin);
        const char* p = skip_comments(first);
        if (p == nullptr) return false;
        if (first != begin || p == in_.end) in_.beyond_json = true;
        if (p == in_.end && first == begin) {  // blanks and comments only
            tree_.close_object({}, tree_.open({}, 0), 0);
            return true;
        }
        p = *p == '{' || *p == '[' ? read_value(p, {}) : read_root_without_braces(p);
        if (p == nullptr || !(p = skip_comments(p))) return false;
        if (p == in_.end) return true;
        nesting_.document_is_over(p);
        return false;
    }

private:
    // ---- the grammar

    const char* read_value(const char* p, const Key& key) {
        switch (*p) {
            case '{': return read_object(p, key);
            case '[': return read_array(p, key);
            case '"':
            case '\'': return read_string(p, key);
            case ',':
            case ':':
            case '}':
            case ']': return value_missing(p);
            default: return p == in_.end ? value_missing(p) : read_unquoted(p, key);
        }
    }

    const char* read_object(const char* p, const Key& key) {
        if (!nesting_.enter(p, deepest)) return nullptr;
        const TreeBuilder::Open object = tree_.open(key, in_.offset(p));
        if (!(p = skip_comments(p + 1))) return nullptr;
        if (*p != '}' && !(p = read_members(p, true))) return nullptr;
        ++p;
        tree_.close_object(key, object, in_.offset(p));
        nesting_.leave();
        return p;
    }

    /// Up to the closing brace, or without braces up to the end of the text.
    const char* read_members(const char* p, bool braces) {
        for (;;) {
            Key key;
            if (!(p = read_key(p, key)) || !(p = skip_comments(p))) return nullptr;
            if (*p != ':')
                return structure_error(
                    p, "expected ':' after the key \"" + shortened(key.name) + "\", found " + in_.found(p));
            if (!(p = skip_comments(p + 1)) || !(p = read_value(p, key)) || !(p = skip_comments(p)))
                return nullptr;
            const bool comma = *p == ',';
            if (comma && !(p = skip_comments(p + 1))) return nullptr;
            const bool last = braces ? *p == '}' : p == in_.end;
            if (comma == last) in_.beyond_json = true;
            if (last) return p;
        }
    }

    const char* read_array(const char* p, const Key& key) {
        if (!nesting_.enter(p, deepest)) return nullptr;
        const TreeBuilder::Open array = tree_.open(key, in_.offset(p));
        if (!(p = skip_comments(p + 1))) return nullptr;
        while (*p != ']') {
            if (!(p = read_value(p, {})) || !(p = skip_comments(p))) return nullptr;
            const bool comma = *p == ',';
            if (comma && !(p = skip_comments(p + 1))) return nullptr;
            if (comma == (*p == ']')) in_.beyond_json = true;
        }
        ++p;
        tree_.close_array(key, array, in_.offset(p));
        nesting_.leave();
        return p;
    }

    const char* read_key(const char* const begin, Key& key) {
        const char* p = begin;
        if (*p != '"') in_.beyond_json = true;
        if (*p == '"' || *p == '\'') {
            p = strings_.read_quoted(p, key.name);
            if (p != nullptr) key.span = in_.span(begin, p);
            return p;
        }
        while (!is(*p, key_stop) || (*p == '\0' && p != in_.end)) ++p;
        const char* const name_end = p;
        while (is(*p, blank)) ++p;
        if (*p != ':' || p == begin) return bad_key(begin, name_end, p);
        key.name = {begin, static_cast<std::size_t>(name_end - begin)};
        if (p != name_end)
            key.name = strip_right(key.name);  // Unicode's blanks too, but only before other blanks
        key.span = in_.span(begin, begin + key.name.size());
        return p;
    }

    const char* read_string(const char* const begin, const Key& key) {
        std::string_view content;
        if (*begin != '"') in_.beyond_json = true;
        const bool multiline = looking_at(begin, "'''");
        const char* const p =
            multiline ? strings_.read_multiline(begin, content) : strings_.read_quoted(begin, content);
        if (p != nullptr) tree_.add_string(key, in_.span(begin, p), content);
        return p;
    }

    /// A literal or number if what can end one comes next; else a string to the end of the line.
    const char* read_unquoted(const char* const begin, const Key& key) {
        if (is(*begin, ascii_digit) || *begin == '-') {
            if (const MatchedNumber number = match_number(in_, begin); number.end != nullptr)
                return add_number(begin, number, key);
        } else if (const char* const yes = match_word(in_, begin, "true")) {
            tree_.add_boolean(key, in_.span(begin, begin + 4), true);
            return literal(begin + 4, yes);
        } else if (const char* const no = match_word(in_, begin, "false")) {
            tree_.add_boolean(key, in_.span(begin, begin + 5), false);
            return literal(begin + 5, no);
        } else if (const char* const nothing = match_word(in_, begin, "null")) {
            tree_.add_null(key, in_.span(begin, begin + 4));
            return literal(begin + 4, nothing);
        }
        in_.beyond_json = true;
        const char* p = begin;
        while (p != in_.end && !is(*p, line_end)) ++p;
        const std::string_view content = strip({begin, static_cast<std::size_t>(p - begin)});
        const char* const first = content.empty() ? begin : content.data();
        const Span span = in_.span(first, first + content.size());
        remember_if_swallowing(span, content);
        tree_.add_string(key, span, content);
        return p;
    }

    /// A literal that ended at `end`, after which `next` goes on. Hjson knows more blanks than JSON.
    const char* literal(const char* end, const char* next) {
        if (skip_blanks(end, in_.end) < next) in_.beyond_json = true;
        return next;
    }

    const char* add_number(const char* begin, const MatchedNumber& number, const Key& key) {
        const Span span = in_.span(begin, number.end);
        const std::string_view written = spelling(in_.text, span);
        if (!number.ascii) in_.beyond_json = true;
        const std::string converted = number.ascii ? std::string() : ascii_digits(written);
        const std::string_view spelled = number.ascii ? written : std::string_view(converted);
        if (number.integer) {
            if (spelled.size() > max_integer_digits + (spelled.front() == '-'))
                return in_.fail(Failure::fatal, "number-range", span,
                                "an integer of more than 4300 digits: Python refuses to convert it");
            tree_.add_number(key, span, to_integer(spelled));
            return number.end;
        }
        const double value = to_double(spelled);
        if (std::isinf(value))
            return in_.fail(Failure::fatal, "number-range", span,
                            "this number is too large for a float: DeepSpeed's reader crashes on it");
        const bool whole = std::abs(value) < 1e10 && std::trunc(value) == value;
        tree_.add_number(key, span,
                         whole ? whole_number(value < 0, static_cast<std::uint64_t>(std::abs(value)))
                               : real_number(value));
        return number.end;
    }

    /// Over blanks and comments. Fails only where a block comment is never closed.
    const char* skip_comments(const char* p) {
        if (*p == ' ') ++p;  // often there is just one
        return is(*p, gap) ? skip_gap(p) : p;
    }

    const char* skip_gap(const char* p) {
        for (;;) {
            p = skip_blanks(p, in_.end);
            if (*p != '#' && *p != '/') return p;
            in_.beyond_json = true;
            if (*p == '#' || looking_at(p, "//")) {
                while (p != in_.end && !is(*p, line_end)) ++p;
            } else if (looking_at(p, "/*")) {
                const std::size_t close = in_.text.find("*/", in_.offset(p) + 2);
                if (close == std::string_view::npos)
                    return in_.fail(Failure::fatal, "syntax", in_.span(p, p + 2),
                                    "this comment is never closed", "close it with */");
                p = in_.text.data() + close + 2;
            } else {
                return p;
            }
        }
    }

    /// Also over one that was read as Latin-1 and written again as UTF-8.
    static const char* skip_byte_order_mark(const char* p) {
        for (const std::string_view mark : {"\xEF\xBB\xBF", "\xC3\xAF\xC2\xBB\xC2\xBF"})
            if (looking_at(p, mark)) return p + mark.size();
        return p;
    }

    /// The members of an object, or else a single value.
    const char* read_root_without_braces(const char* const begin) {
        in_.beyond_json = true;
        const TreeBuilder::Open object = tree_.open({}, in_.offset(begin));
        if (const char* const p = read_members(begin, false)) {
            tree_.close_object({}, object, tree_.end_of_last_value());
            return p;
        }
        // A crash or a repeated key ends it; only after a mistake in the syntax does hjson-py try again.
        if (in_.failure != Failure::syntax || tree_.refuses_repeated_keys()) return nullptr;
        Diagnostic as_object = std::move(in_.problem);
        in_.restart();
        tree_.restart();
        strings_.restart();
        nesting_.restart();
        unquoted_with_bracket_ = {};
        const char* p = read_value(begin, {});
        if (p != nullptr) p = skip_comments(p);
        if (p != in_.end) {
            if (in_.failure != Failure::fatal)
                in_.problem = std::move(as_object);  // else a lone number, too large
            return nullptr;
        }
        if (tree_.root_is_string() && *begin != '"' && *begin != '\'') {
            as_object.severity = Severity::note;
            as_object.message =
                "the text is read as one string, because as an object it fails: " + as_object.message;
            in_.problem = std::move(as_object);
        }
        return p;
    }

    // ---- what goes wrong

    std::nullptr_t value_missing(const char* p) {
        const bool in_array = nesting_.innermost() == '[';
        const char* hint = "";
        if (*p == ',')
            hint = in_array ? "remove the comma: there is nothing in front of it"
                            : "write null where there is no value";
        return structure_error(
            p, std::string("expected a value") + (in_array ? " or ']'" : "") + ", found " + in_.found(p),
            hint);
    }

    /// At p there should have been the colon.
    std::nullptr_t bad_key(const char* begin, const char* name_end, const char* p) {
        if (begin == name_end) {
            const bool braces = nesting_.innermost() == '{';
            const char* hint = "";
            if (*p == ',') hint = "remove it: one comma at most stands between two members";
            if (*p == ':') hint = "an empty key is written \"\"";
            if (*p == '}' && !braces) hint = "remove it: no brace is open here";
            return structure_error(
                p, std::string("expected a key") + (braces ? " or '}'" : "") + ", found " + in_.found(p),
                hint);
        }
        const std::string name = shortened({begin, static_cast<std::size_t>(name_end - begin)});
        return structure_error(p, "expected ':' after the key \"" + name + "\", found " + in_.found(p),
                               "a key that holds blanks or one of { } [ ] , : needs quotes");
    }

    /// What was expected is not at p. The cause may lie further up.
    std::nullptr_t structure_error(const char* p, std::string message, std::string hint = {}) {
        const bool never_closed = p == in_.end && nesting_.innermost() != '\0';
        if (never_closed) {
            nesting_.never_closed();
        } else {
            in_.syntax_error(in_.character(p), std::move(message), std::move(hint));
        }
        if (unquoted_with_bracket_ != Span()) blame(unquoted_with_bracket_);
        return nullptr;
    }

    /// The problem is there because an unquoted value took a bracket with it.
    void blame(Span swallowing) {
        const std::string_view value = spelling(in_.text, swallowing);
        const std::string bracket(1, value[value.find_first_of("]}")]);
        const std::string line = in_.line_of(in_.problem.range.begin.offset);
        in_.syntax_error(
            swallowing, "a value without quotes runs to the end of its line: this one takes the '" + bracket +
                            "' with it, and so on " + line + ": " + in_.problem.message);
        const std::string_view word = strip(value.substr(0, value.find_first_of(",]}#")));
        const std::string better = json_spelling(word);
        in_.problem.hint = better.empty() ? "put the value in quotes" : "write " + better;
        if (!better.empty())
            in_.problem.replacement = Replacement{in_.span(word.data(), word.data() + word.size()), better};
    }

    /// A string that closes more brackets than it opens hardly means to: the first suspect later on.
    void remember_if_swallowing(Span span, std::string_view content) {
        if (unquoted_with_bracket_ != Span() || nesting_.innermost() == '\0') return;
        int depth = 0;
        for (const char c : content) depth += (c == '{' || c == '[') - (c == '}' || c == ']');
        if (depth < 0) unquoted_with_bracket_ = span;
    }

    Scanner& in_;
    TreeBuilder& tree_;
    HjsonStrings strings_;
    Nesting nesting_;
    Span unquoted_with_bracket_;  // empty: none; see remember_if_swallowing
};

}  // namespace dszero
