// SPDX-License-Identifier: MIT
//
// The section compression_training, which the newest release refuses: kept as it is, and judged as
// older releases do. Each technique has parameters that all groups share, and groups with parameters
// of their own.
// Source: deepspeed/compression/config.py up to 0.19.6.
#pragma once

#include <dszero/config/document_sections.hpp>
#include <dszero/config/rows/removed.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace dszero {

/// A key of shared_parameters that takes one of a few words.
struct CompressionWord {
    std::string_view key;
    std::array<std::string_view, 3> words;  ///< the last one may be empty
};

struct CompressionTechnique {
    std::string_view name;
    std::array<CompressionWord, 2> words;  ///< the second one may be empty
    std::array<std::string_view, 2> group_needs;
};
inline constexpr CompressionTechnique compression_techniques[] = {
    {"weight_quantization",
     {{{"quantization_type", {"symmetric", "asymmetric"}}, {"rounding", {"nearest", "stochastic"}}}},
     {"start_bits", "target_bits"}},
    {"activation_quantization",
     {{{"quantization_type", {"symmetric", "asymmetric"}}, {"range_calibration", {"dynamic", "static"}}}},
     {"bits"}},
    {"sparse_pruning", {{{"method", {"l1", "topk", "snip_momentum"}}}}, {"dense_ratio"}},
    {"row_pruning", {{{"method", {"l1", "topk"}}}}, {"dense_ratio"}},
    {"head_pruning", {{{"method", {"l1", "topk"}}}}, {"dense_ratio"}},
    {"channel_pruning", {{{"method", {"l1", "topk"}}}}, {"dense_ratio"}},
};

/// The part of a compression section that is being looked at. A check that fails reports it, and is false.
struct CompressionPart {
    Reading& r;
    const Path& path;
    const Value& value;
    Members members{};

    bool open() {
        if (!value.json->is_object())
            return refuse_shape("compression_training", "an object", value, r, path);
        members = r.members_of(value);
        return true;
    }
    /// The member, or null.
    const Member* find(std::string_view key) const { return find_member(members, key); }
    bool has(std::string_view key) const {
        if (find(key)) return true;
        r.check = "shape:compression_training";
        r.error("missing-key", path, r.key_span(value),
                std::string(path.key).append(" must have ").append(key));
        return false;
    }
    bool refuse(const Member& member, std::string_view expected) const {
        r.check = "shape:compression_training";
        r.error("wrong-value", Path{.parent = &path, .key = member.key}, r.value_span(member.value),
                std::string(member.key).append(" must be ").append(expected).append(", got ") +
                    r.shown(member.value));
        return false;
    }
    /// Opens the object `key`, if it is there, and asks `check` about it.
    template <class Check>
    bool inside(std::string_view key, Check&& check) const {
        const Member* const member = find(key);
        if (!member) return true;
        const Path at{.parent = &path, .key = key};
        CompressionPart part{r, at, member->value};
        return part.open() && check(part);
    }
};

/// Python's `a <= b` of numbers, and of texts.
inline bool is_at_most(const Json& a, const Json& b) {
    if (a.is_string() && b.is_string()) return string_in(a) <= string_in(b);  // UTF-8: in code points' order
    const auto is_number = [](const Json& json) { return json.is_number() || json.is_boolean(); };
    const auto real = [](const Json& json) {
        return json.is_boolean() ? (boolean_in(json) ? 1.0 : 0.0) : python_number(json, {}).real;
    };
    return is_number(a) && is_number(b) && real(a) <= real(b);
}

/// What pruning by snip_momentum asks for.
inline bool check_snip_momentum(const CompressionPart& shared) {
    if (const Member* ratio = shared.find("dense_ratio"))
        if (const Json& json = *ratio->value.json;
            !json.is_number() || python_number(json, {}).real <= 0 || python_number(json, {}).real >= 1)
            return shared.refuse(*ratio, "above 0 and below 1");
    const Json preset = json_integer(1000);
    const Member* const offset = shared.find("schedule_offset");
    const Member* const end = shared.find("schedule_offset_end");
    const Json& from = offset ? *offset->value.json : preset;
    if (is_at_most(from, end ? *end->value.json : from)) return true;
    return shared.refuse(end ? *end : *offset, end ? "at least schedule_offset" : "a number");
}

inline bool check_shared_parameters(const CompressionPart& shared, const CompressionTechnique& technique) {
    const bool knows_snip = shared.r.behaviour.release >= Release("0.9.3");
    for (const CompressionWord& choice : technique.words) {
        const Member* const member = shared.find(choice.key);
        if (!member) continue;
        std::string expected;
        bool is_one = false;
        for (const std::string_view word : choice.words) {
            if (word.empty() || (word == "snip_momentum" && !knows_snip)) continue;
            expected.append(expected.empty() ? "" : " or ").append(word);
            is_one = is_one || is_word(*member->value.json, word);
        }
        if (!is_one) return shared.refuse(*member, expected);
    }
    const Member* const method = shared.find("method");
    if (method && is_word(*method->value.json, "snip_momentum") && !check_snip_momentum(shared)) return false;
    const Member* const enabled = shared.find("enabled");
    if (technique.name == "head_pruning" && enabled && is_truthy(*enabled->value.json))
        return shared.has("num_heads");
    return technique.name != "weight_quantization" ||
           shared.inside("fp16_mixed_quantize", [](const CompressionPart&) { return true; });
}

inline bool check_technique(const CompressionPart& part, const CompressionTechnique& technique) {
    const auto check_group = [&](const CompressionPart& group) {
        return group.has("params") && group.inside("params", [&](const CompressionPart& params) {
            return std::all_of(technique.group_needs.begin(), technique.group_needs.end(),
                               [&](std::string_view key) { return key.empty() || params.has(key); });
        });
    };
    return part.inside(
               "shared_parameters",
               [&](const CompressionPart& shared) { return check_shared_parameters(shared, technique); }) &&
           part.has("different_groups") &&
           part.inside("different_groups", [&](const CompressionPart& groups) {
               return std::all_of(groups.members.begin(), groups.members.end(),
                                  [&](const Member& group) { return groups.inside(group.key, check_group); });
           });
}

inline bool read_compression(void* member, const Value& value, const Row& row, Reading& r, const Path& path) {
    if (!read_removed(member, value, row, r, path)) return false;
    CompressionPart section{r, path, value};
    return section.open() &&
           std::all_of(std::begin(compression_techniques), std::end(compression_techniques),
                       [&](const CompressionTechnique& technique) {
                           return section.inside(technique.name, [&](const CompressionPart& part) {
                               return check_technique(part, technique);
                           });
                       }) &&
           section.inside("layer_reduction", [](const CompressionPart&) { return true; });
}
inline constexpr MemberType compression_type = {"an object", "{...}", read_compression, write_object};

}  // namespace dszero
