// SPDX-License-Identifier: MIT
//
// Rows of sections/compile.hpp: how it is read, checked, written and described.
#pragma once

#include <dszero/config/document_sections.hpp>
#include <dszero/config/model_types.hpp>
#include <dszero/config/sections/compile.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace dszero {

inline bool read_passes(void* member, const Value& value, const Row& row, Reading& r, const Path& path) {
    if (!read_optional_list(member, value, row, r, path)) return false;
    const std::array<std::string_view, 4> passes = {"z1", "z3", "autosp", "autotp"};
    const std::size_t known = r.behaviour.release < Release("0.19.6") ? 3 : 4;
    bool all = true;
    std::size_t index = 0;
    for (const Member& element : r.members_of(value)) {
        std::string word;
        const Path at{.parent = &path, .index = index++, .is_index = true};
        all = read_word(std::span(passes).first(known), word, element.value, row, r, at) && all;
    }
    return all;
}
inline constexpr MemberType passes_type = {"a list of \"z1\", \"z3\", \"autosp\" and \"autotp\", or null",
                                           "[\"z1\", ...]", read_passes, write_object};

template <>
struct schema<CompileConfig> {
    using C = CompileConfig;
    static constexpr Container container = Container::pydantics_choice;
    static constexpr std::array rows = {
        field(&C::enabled,
              {.name = "enabled", .doc = "Compiles the model.", .since = "0.13.2", .until = "0.14.4"}),
        field(&C::backend, {.name = "backend",
                            .doc = "The compiler's backend.",
                            .since = "0.13.2",
                            .until = "0.14.4",
                            .type = &text_type}),
        field(&C::kwargs, {.name = "kwargs",
                           .doc = "What else torch.compile gets.",
                           .since = "0.13.2",
                           .until = "0.14.4",
                           .type = &dictionary_type}),
        field(&C::deepcompile, {.name = "deepcompile",
                                .doc = "Compiles ZeRO's communication with the model.",
                                .since = "0.16.6"}),
        field(
            &C::autoep_non_moe,
            {.name = "autoep_non_moe", .doc = "Compiles what is around AutoEP's layers.", .since = "0.19.8"}),
        field(&C::free_activation, {.name = "free_activation",
                                    .doc = "Frees activations as soon as they are used.",
                                    .since = "0.16.6"}),
        field(&C::free_activation_threshold, {.name = "free_activation_threshold",
                                              .doc = "The smallest such activation, in bytes.",
                                              .unit = Unit::bytes,
                                              .since = "0.18.0"}),
        field(&C::offload_activation, {.name = "offload_activation",
                                       .doc = "Moves activations to the host until backward needs them.",
                                       .since = "0.16.6"}),
        field(&C::offload_activation_pin_memory,
              {.name = "offload_activation_pin_memory", .doc = "Pins that memory.", .since = "0.19.6"}),
        field(&C::offload_opt_states, {.name = "offload_opt_states",
                                       .doc = "Moves optimizer states to the host between steps.",
                                       .since = "0.16.6"}),
        field(&C::double_buffer,
              {.name = "double_buffer", .doc = "Uses two buffers in turn.", .since = "0.16.6"}),
        field(&C::symmetric_memory,
              {.name = "symmetric_memory", .doc = "Uses symmetric memory.", .since = "0.16.6"}),
        field(&C::debug_log, {.name = "debug_log", .doc = "Writes the graphs down.", .since = "0.16.6"}),
        field(&C::offload_parameters,
              {.name = "offload_parameters", .doc = "Moves parameters to the host.", .since = "0.16.6"}),
        field(&C::sync_before_reduce, {.name = "sync_before_reduce",
                                       .doc = "Synchronizes before gradients are reduced.",
                                       .since = "0.16.6"}),
        field(&C::sync_after_reduce, {.name = "sync_after_reduce",
                                      .doc = "Synchronizes after gradients are reduced.",
                                      .since = "0.16.6"}),
        field(&C::sync_before_allgather, {.name = "sync_before_allgather",
                                          .doc = "Synchronizes before weights are gathered.",
                                          .since = "0.16.6"}),
        field(&C::sync_after_allgather, {.name = "sync_after_allgather",
                                         .doc = "Synchronizes after weights are gathered.",
                                         .since = "0.16.6"}),
        field(&C::keep_int_input_tensors, {.name = "keep_int_input_tensors",
                                           .doc = "Keeps integer inputs real while it compiles.",
                                           .since = "0.17.2"}),
        field(&C::keep_all_input_tensors, {.name = "keep_all_input_tensors",
                                           .doc = "Keeps all inputs real while it compiles.",
                                           .since = "0.17.2"}),
        field(&C::passes, {.name = "passes",
                           .doc = "Which passes are run, and in which order.",
                           .since = "0.18.9",
                           .type = &passes_type}),
    };
    static constexpr std::array<Check, 0> checks{};
    static_assert(no_name_twice(rows));
};

/// Releases from 0.14.4 to 0.16.5 do not read it.
inline bool read_compile(void* member, const Value& value, const Row& row, Reading& r, const Path& path) {
    if (Release("0.14.4") <= r.behaviour.release && r.behaviour.release < Release("0.16.6")) return true;
    return read_modelled(member, value, row, r, path);
}
template <>
inline constexpr MemberType member_type<CompileConfig> = {"an object",
                                                          "{...}",
                                                          read_compile,
                                                          write_nested<CompileConfig>,
                                                          &section<CompileConfig>,
                                                          [](const void* member) { return member; }};

}  // namespace dszero
