// SPDX-License-Identifier: MIT
//
// Rows of sections/checkpoint.hpp: how it is read, checked, written and described.
#pragma once

#include <dszero/config/document_sections.hpp>
#include <dszero/config/model_types.hpp>
#include <dszero/config/sections/checkpoint.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace dszero {

/// Python's str.upper(), as far as it can make an ASCII word of a text.
inline std::string to_upper(std::string_view text) {
    constexpr struct {
        std::string_view from, to;
    } others[] = {{"\xC4\xB1", "I"}, {"\xC5\xBF", "S"}, {"\xEF\xAC\x85", "ST"}, {"\xEF\xAC\x86", "ST"}};
    std::string out;
    while (!text.empty()) {
        std::size_t taken = 0;
        for (const auto& other : others)
            if (text.starts_with(other.from)) {
                out += other.to;
                taken = other.from.size();
            }
        if (taken == 0) {
            const char c = text[0];
            out += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
            taken = 1;
        }
        text.remove_prefix(taken);
    }
    return out;
}

inline constexpr std::array<std::string_view, 3> tag_validation_modes = {"WARN", "IGNORE", "FAIL"};

/// One of the words, in any case; kept in upper case.
inline bool read_tag_validation(void* member, const Value& value, const Row& row, Reading& r,
                                const Path& path) {
    if (!value.json->is_string()) return refuse_shape("checkpoint", row.type->expected, value, r, path);
    const std::string upper = to_upper(string_in(*value.json));
    for (const std::string_view mode : tag_validation_modes)
        if (upper == mode) {
            static_cast<Plain<std::string>*>(member)->take(json_string(upper));
            return true;
        }
    r.check = "checkpoint_tag_validation";
    r.error("wrong-value", path, r.value_span(value),
            "tag_validation must be " + std::string(row.type->expected) + ", got " + r.shown(value));
    return false;
}
inline constexpr MemberType tag_validation = {.expected = "\"Warn\", \"Ignore\" or \"Fail\"",
                                              .format = "[\"Ignore\"|\"Warn\"|\"Fail\"]",
                                              .read = read_tag_validation,
                                              .write = write_plain<std::string>,
                                              .any_case = true};

/// A word, kept in upper case; which ones there are is looked at later.
template <class T>
bool read_upper(void* member, const Value& value, const Row&, Reading& r, const Path&) {
    static_cast<Plain<T>*>(member)->take(
        value.json->is_string() ? json_string(to_upper(string_in(*value.json))) : kept(value, r));
    return true;
}
inline constexpr MemberType writer_type = {.expected = "\"mock\", \"python\", \"fast\" or null",
                                           .format = "[\"mock\"|\"python\"|\"fast\"]",
                                           .read = read_upper<std::string>,
                                           .write = write_plain<std::string>,
                                           .any_case = true};
inline constexpr MemberType data_parallel_type = {.expected = "\"replica\", \"socket\", \"machine\" or null",
                                                  .format = "[\"replica\"|\"socket\"|\"machine\"]",
                                                  .read = read_upper<std::optional<std::string>>,
                                                  .write = write_plain<std::optional<std::string>>,
                                                  .any_case = true};

template <>
struct schema<ParallelWriteConfig> {
    using C = ParallelWriteConfig;
    static constexpr Container container = Container::dictionary;
    static constexpr std::array rows = {
        field(&C::pipeline_stage,
              {.name = "pipeline_stage", .doc = "Every pipeline stage's ranks write in parallel."}),
    };
    static constexpr std::array<Check, 0> checks{};
};

template <>
struct schema<CheckpointWriterConfig> {
    using C = CheckpointWriterConfig;
    static constexpr Container container = Container::dictionary;
    static constexpr std::array rows = {
        field(&C::type, {.name = "type", .doc = "Which writer is used.", .type = &writer_type}),
        field(&C::decoupled, {.name = "decoupled", .doc = "Writes while training goes on."}),
        field(&C::io_buffer_size,
              {.name = "io_buffer_size", .doc = "Buffer between memory and disk.", .unit = Unit::bytes}),
        field(&C::io_buffer_double, {.name = "io_buffer_double",
                                     .doc = "Fills one half of the buffer while the other is written."}),
        field(&C::show_statistics, {.name = "show_statistics", .doc = "Logs how fast it writes."}),
        field(&C::data_parallel,
              {.name = "data_parallel",
               .doc = "Which data-parallel ranks write: all, one a socket or one a machine; null: the first.",
               .type = &data_parallel_type}),
        field(&C::io_multiplier, {.name = "io_multiplier", .doc = "Has no effect."}),
    };
    static constexpr std::array<Check, 0> checks{};
};

/// What is no object is refused later: writer_is_known.
inline bool read_writer(void* member, const Value& value, const Row& row, Reading& r, const Path& path) {
    auto& writer = *static_cast<std::optional<CheckpointWriterConfig>*>(member);
    return !value.json->is_object() || read_plain_section(&writer.emplace(), value, row, r, path);
}
template <>
inline constexpr MemberType member_type<ParallelWriteConfig> =
    plain_section_read_by<ParallelWriteConfig>(read_unopened_section);
template <>
inline constexpr MemberType member_type<std::optional<CheckpointWriterConfig>> =
    optional_section<CheckpointWriterConfig>("an object or null", read_writer);

template <>
struct schema<CheckpointConfig> {
    using C = CheckpointConfig;
    static constexpr Container container = Container::dictionary;
    static constexpr std::array rows = {
        field(&C::tag_validation, {.name = "tag_validation",
                                   .doc = "What happens when ranks name a checkpoint differently.",
                                   .type = &dszero::tag_validation}),
        field(&C::load_universal, {.name = "load_universal", .doc = "Loads universal checkpoints."}),
        field(&C::use_node_local_storage, {.name = "use_node_local_storage",
                                           .doc = "Every node writes to a disk of its own.",
                                           .since = "0.7.5"}),
        field(&C::parallel_write,
              {.name = "parallel_write", .doc = "Which ranks write at the same time.", .since = "0.7.4"}),
        field(
            &C::checkpoint_serialization,
            {.name = "checkpoint_serialization", .doc = "Writes in torch's zip format.", .since = "0.17.1"}),
        field(&C::writer, {.name = "writer",
                           .doc = "Which writer is used, and how it buffers; null: torch's.",
                           .since = "0.17.1"}),
    };
    static constexpr std::array<Check, 0> checks{};
    static_assert(no_name_twice(rows));
};

template <>
inline constexpr MemberType member_type<CheckpointConfig> = plain_section<CheckpointConfig>;

/// What DeepSpeed makes sure of later, about `checkpoint` as written; false, and reported, if it does not
/// hold.
inline bool pipeline_stage_is_a_flag(const Value& checkpoint, Reading& r) {
    const Path at{.key = "checkpoint"}, inside{.parent = &at, .key = "parallel_write"};
    const Members members = r.members_of(checkpoint);
    const Member* write = find_member(members, "parallel_write");
    if (!write) return true;
    if (!write->value.json->is_object())
        return refuse_shape("checkpoint", "an object", write->value, r, inside);
    const Members inner = r.members_of(write->value);
    const Member* stage = find_member(inner, "pipeline_stage");
    if (!stage) return true;
    const Json& json = *stage->value.json;  // 1 and 0.0 are true and false to Python's `in`
    if (json.is_boolean() ||
        (json.is_number() && (python_number(json, {}).real == 0 || python_number(json, {}).real == 1)))
        return true;
    r.check = "checkpoint_pipeline_stage";
    r.error("wrong-value", Path{.parent = &inside, .key = "pipeline_stage"}, r.value_span(stage->value),
            "pipeline_stage must be true or false, got " + r.shown(stage->value));
    return false;
}

inline bool writer_is_known(const Value& checkpoint, Reading& r) {
    const Path at{.key = "checkpoint"}, inside{.parent = &at, .key = "writer"};
    const Members members = r.members_of(checkpoint);
    const Member* writer = find_member(members, "writer");
    if (!writer || writer->value.json->is_null()) return true;
    if (!writer->value.json->is_object())
        return refuse_shape("checkpoint", "an object or null", writer->value, r, inside);
    struct Choice {
        std::string_view key, expected;
        std::array<std::string_view, 3> words;
    };
    static constexpr Choice choices[] = {
        {"type", writer_type.expected, {"MOCK", "PYTHON", "FAST"}},
        {"data_parallel", data_parallel_type.expected, {"REPLICA", "SOCKET", "MACHINE"}}};
    const Members inner = r.members_of(writer->value);
    bool all = true;
    for (const bool shapes : {true, false})  // kinds of both first, then their words
        for (const Choice& choice : choices) {
            const Member* member = find_member(inner, choice.key);
            if (!all || !member || member->value.json->is_null()) continue;
            const Path path{.parent = &inside, .key = choice.key};
            if (shapes) {
                if (!member->value.json->is_string())
                    all = refuse_shape("checkpoint", choice.expected, member->value, r, path);
                continue;
            }
            const std::string upper = to_upper(string_in(*member->value.json));
            if (std::find(choice.words.begin(), choice.words.end(), upper) != choice.words.end()) continue;
            r.check = "checkpoint_writer_value";
            r.error("wrong-value", path, r.value_span(member->value),
                    std::string(choice.key) + " must be " + std::string(choice.expected) + ", got " +
                        r.shown(member->value));
            all = false;
        }
    return all;
}

}  // namespace dszero
