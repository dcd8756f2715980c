// SPDX-License-Identifier: MIT
//
// Recorded answers: JSON lines, gzip-compressed or not, read with the library's own
// JSON dialect, since they hold lone surrogates and integers of any length.
#pragma once

#include <dszero/text/reader.hpp>

#include <zlib.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace test {

/// The lines of a file; gzread reads plain files as well.
inline void for_each_line(const std::filesystem::path& path,
                          const std::function<void(const std::string&)>& use) {
    const gzFile file = gzopen(path.string().c_str(), "rb");
    if (file == nullptr) throw std::runtime_error("cannot open " + path.string());
    std::string line;
    char block[1 << 16];
    for (int length = 0; (length = gzread(file, block, sizeof block)) > 0;) {
        std::string_view rest(block, static_cast<std::size_t>(length));
        for (std::size_t end = 0; (end = rest.find('\n')) != std::string_view::npos;
             rest.remove_prefix(end + 1)) {
            line += rest.substr(0, end);
            use(line);
            line.clear();
        }
        line += rest;
    }
    const bool complete = gzeof(file) != 0;
    gzclose(file);
    if (!complete) throw std::runtime_error("damaged: " + path.string());
    if (!line.empty()) use(line);
}

/// A line, or a part of one: a value with its positions, so that big integers keep their digits.
struct Recorded {
    const dszero::Source* source = nullptr;
    const dszero::Tree* tree = nullptr;
    const nlohmann::ordered_json* value = nullptr;
    std::uint32_t node = 0;

    explicit operator bool() const { return value != nullptr; }

    /// The member of that name; false if there is none.
    Recorded operator[](std::string_view name) const {
        if (value == nullptr || !value->is_object()) return {};
        std::uint32_t child = node + 1;
        for (const auto& [key, member] : *value->get_ptr<const nlohmann::ordered_json::object_t*>()) {
            if (key == name) return {source, tree, &member, child};
            child = tree->nodes[child].end;
        }
        return {};
    }

    const std::string& text() const { return *value->get_ptr<const std::string*>(); }
    bool yes() const { return *value->get_ptr<const bool*>(); }
    std::string_view spelled() const { return spelling(source->text, tree->nodes[node].value); }
};

/// Each line of a file, as a value.
inline void for_each_record(const std::filesystem::path& path,
                            const std::function<void(const Recorded&)>& use) {
    dszero::ReadOptions options;
    options.dialect = dszero::Dialect::json;
    for_each_line(path, [&](const std::string& line) {
        const dszero::Source source{path.string(), line};
        dszero::Tree tree;
        dszero::Diagnostics problems;
        if (!dszero::read(source, options, tree, problems))
            throw std::runtime_error(path.string() + ": " + problems.front().message);
        use({&source, &tree, &tree.value, 0});
    });
}

/// Equal as Python would say, and of the same type: 3 is not 3.0. Objects are equal in any order.
/// {"float": "inf"} stands for a float that JSON has no word for.
inline bool same(const Recorded& a, const Recorded& b) {
    using Json = nlohmann::ordered_json;
    const auto named_float = [](const Recorded& r) {
        return r.value->is_object() && r.value->size() == 1 && r["float"] && r["float"].value->is_string();
    };
    const auto as_word = [](double number) { return number != number ? "nan" : number > 0 ? "inf" : "-inf"; };
    if (a.value->is_number_float() && named_float(b))
        return as_word(a.value->get<double>()) == b["float"].text();
    if (dszero::is_big_integer(*a.value, a.spelled()) || dszero::is_big_integer(*b.value, b.spelled()))
        return a.value->is_number() && b.value->is_number() &&
               dszero::ascii_digits(a.spelled()) == dszero::ascii_digits(b.spelled());
    if (a.value->type() != b.value->type() || a.value->size() != b.value->size()) return false;
    if (a.value->is_object()) {
        std::uint32_t child = a.node + 1;
        for (const auto& [key, member] : *a.value->get_ptr<const Json::object_t*>()) {
            const Recorded other = b[key];
            if (!other || !same({a.source, a.tree, &member, child}, other)) return false;
            child = a.tree->nodes[child].end;
        }
        return true;
    }
    if (a.value->is_array()) {
        std::uint32_t left = a.node + 1;
        std::uint32_t right = b.node + 1;
        for (std::size_t i = 0; i < a.value->size(); ++i) {
            if (!same({a.source, a.tree, &(*a.value)[i], left}, {b.source, b.tree, &(*b.value)[i], right}))
                return false;
            left = a.tree->nodes[left].end;
            right = b.tree->nodes[right].end;
        }
        return true;
    }
    if (!a.value->is_number_float()) return *a.value == *b.value;
    const double left = *a.value->get_ptr<const double*>();
    const double right = *b.value->get_ptr<const double*>();
    return left == right ? std::signbit(left) == std::signbit(right) : std::isnan(left) && std::isnan(right);
}

}  // namespace test
