// SPDX-License-Identifier: MIT
//
// What reading a document passes down: a value with its place, the path to it,
// the release that judges, and where problems go.
#pragma once

#include <dszero/config/circumstances.hpp>
#include <dszero/config/json_values.hpp>
#include <dszero/config/release.hpp>
#include <dszero/config/table.hpp>
#include <dszero/text/diagnostic.hpp>
#include <dszero/text/small_vector.hpp>
#include <dszero/text/tree.hpp>
#include <dszero/text/write_json.hpp>

#include <cstddef>
#include <cstdint>
#include <forward_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dszero {

/// A value of the document and, where the document was read from text, its node there.
struct Value {
    const Json* json = nullptr;
    std::uint32_t node = 0;
};

/// One step from the section's root to the value being read; lives on the stack.
struct Path {
    const Path* parent = nullptr;
    std::string_view key{};
    std::size_t index = 0;
    bool is_index = false;
    bool is_root = false;  ///< the value itself is what was given to read; `key` only names it

    /// RFC 6901. `above`: the pointer to what the path begins at.
    std::string pointer(std::string_view above = {}) const {
        std::size_t size = above.size();
        for (const Path* path = this; path && !path->is_root; path = path->parent)
            size += 1 + (path->is_index ? 8 : path->key.size());
        std::string out;
        out.reserve(size);
        out += above;
        append_to(out);
        return out;
    }

private:
    void append_to(std::string& pointer) const {
        if (is_root) return;
        if (parent) parent->append_to(pointer);
        pointer += '/';
        if (is_index)
            pointer += std::to_string(index);
        else if (key.find('~') == std::string_view::npos && key.find('/') == std::string_view::npos)
            pointer += key;
        else
            for (const char c : key) c == '~' ? pointer += "~0" : c == '/' ? pointer += "~1" : pointer += c;
    }
};

struct Section;

/// A section that a misplaced key may belong to.
struct Place {
    std::string_view name;  ///< "zero_optimization.offload_param"; empty: the document's top level
    const Section* section = nullptr;
};

/// A member of an object or, with no key, an element of an array.
struct Member {
    std::string_view key;
    Value value;
};
using Members = SmallVector<Member, 16>;

/// The member of that key, or null.
inline const Member* find_member(const Member* begin, const Member* end, std::string_view key) {
    for (; begin != end; ++begin)
        if (begin->key == key) return begin;
    return nullptr;
}
inline const Member* find_member(const Members& members, std::string_view key) {
    return find_member(members.begin(), members.end(), key);
}

/// The state of one reading.
class Reading {
public:
    /// `tree` may be null: then there are no places, only pointers.
    Reading(Release release, const Source& source, const Tree* tree, const Circumstances& around = {})
        : behaviour(release), circumstances(around), source_(source), tree_(tree) {}

    const Behaviour behaviour;
    const Circumstances circumstances;
    Diagnostics diagnostics;
    std::vector<std::string> warnings;  ///< what DeepSpeed itself would log, as tags
    Table<Place> places;                ///< where else keys belong, for suggestions; so is the top level
    const Section* top_level = nullptr;
    const Members* document = nullptr;  ///< the document that the value being read is part of, if any
    std::string check;                  ///< which of DeepSpeed's checks fails, where a reader knows it better

    bool has_text() const { return tree_ != nullptr; }

    /// The bytes of `value` as written; empty where there is no text.
    std::string_view spelling(const Value& value) const {
        return tree_ ? dszero::spelling(source_.text, tree_->nodes[value.node].value) : std::string_view();
    }

    /// `value` for use in a message: as written, but not longer than a message should be.
    std::string shown(const Value& value) const {
        std::string text = tree_ ? std::string(spelling(value)) : write_json(*value.json);
        for (char& c : text)
            if (static_cast<unsigned char>(c) < 0x20) c = ' ';
        if (text.size() <= 40) return text;
        std::size_t cut = 36;
        while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) --cut;
        return text.substr(0, cut) + " ...";
    }

    Span value_span(const Value& value) const { return tree_ ? tree_->nodes[value.node].value : Span{}; }
    Span key_span(const Value& value) const { return tree_ ? tree_->nodes[value.node].key : Span{}; }
    /// From the key to the end of the value.
    Span member_span(const Value& value) const {
        return tree_ ? Span{tree_->nodes[value.node].key.begin, tree_->nodes[value.node].value.end} : Span{};
    }

    /// What the object or array `container` holds, in document order.
    Members members_of(const Value& container) const {
        Members members;
        append_members_of(container, members);
        return members;
    }
    void append_members_of(const Value& container, SmallVectorOf<Member>& members) const {
        if (!container.json->is_structured()) return;  // a number, too, has a size() of 1
        Member* place = members.extend(container.json->size());
        std::uint32_t node = container.node + 1;
        const auto add = [&](std::string_view key, const Json& json) {
            *place++ = {key, {&json, node}};
            if (tree_) node = tree_->nodes[node].end;
        };
        if (const auto* object = container.json->get_ptr<const Json::object_t*>())
            for (const auto& member : *object) add(member.first, member.second);
        else if (const auto* array = container.json->get_ptr<const Json::array_t*>())
            for (const Json& element : *array) add({}, element);
    }

    /// Records a problem; returns it for adding a replacement.
    Diagnostic& report(Severity severity, std::string_view code, std::string pointer, Span span,
                       std::string message, std::string_view hint = {}) {
        if (diagnostics.empty()) diagnostics.reserve(4);
        Diagnostic& d = diagnostics.emplace_back();
        d.severity = severity;
        d.code = code;
        d.pointer = std::move(pointer);
        d.range = tree_ ? unlocated(span) : nowhere();
        d.message = std::move(message);
        d.hint = hint;
        return d;
    }
    Diagnostic& error(std::string_view code, const Path& path, Span span, std::string message,
                      std::string_view hint = {}) {
        return report(Severity::error, code, path.pointer(), span, std::move(message), hint);
    }

    /// An exception that pydantic does not catch: DeepSpeed stops at once, and it is all that it reports.
    void abort(const Value& at, std::string message, std::string_view hint = {}) {
        if (aborted_) return;
        aborted_ = true;
        abort_ = {Severity::error,    "stops-deepspeed", {}, tree_ ? unlocated(value_span(at)) : nowhere(),
                  std::move(message), std::string(hint), {}, false};
    }

    /// To be called when the section at `path` has been read: an abort becomes its one error. `from`: where
    /// the section's diagnostics begin.
    void settle_abort(const Path& path, std::size_t from = 0) {
        if (!aborted_) return;
        aborted_ = false;
        demote(from);
        abort_.pointer = path.pointer();
        diagnostics.push_back(std::move(abort_));
    }

    bool has_aborted() const { return aborted_; }
    bool has_errors_since(std::size_t first) const { return aborted_ || has_errors(diagnostics, first); }

    /// A value that stands in no text but must outlive the reading.
    const Json& keep(Json&& made) { return made_.emplace_front(std::move(made)); }

    /// DeepSpeed stops before it comes to what was reported since `from`: it stays, as warnings that say so.
    void demote(std::size_t from) {
        for (std::size_t i = from; i < diagnostics.size(); ++i) {
            Diagnostic& d = diagnostics[i];
            if (d.severity != Severity::error) continue;
            d.severity = Severity::warning;
            d.first = false;
            d.message += " (DeepSpeed would report this only after the errors are mended)";
        }
    }

private:
    const Source& source_;
    const Tree* tree_;
    bool aborted_ = false;
    Diagnostic abort_;
    std::forward_list<Json> made_;
};

}  // namespace dszero
