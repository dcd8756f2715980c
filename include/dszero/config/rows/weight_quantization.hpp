// SPDX-License-Identifier: MIT
//
// Rows of sections/weight_quantization.hpp: how it is read, checked, written and described.
#pragma once

#include <dszero/config/document_sections.hpp>
#include <dszero/config/model_types.hpp>
#include <dszero/config/sections/weight_quantization.hpp>

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace dszero {

inline bool read_q_type(void* member, const Value& value, const Row& row, Reading& r, const Path& path) {
    constexpr std::array<std::string_view, 2> types = {"asymmetric", "symmetric"};
    return read_word(types, *static_cast<std::string*>(member), value, row, r, path);
}
inline constexpr MemberType q_type = {"\"asymmetric\" or \"symmetric\"", "[\"asymmetric\"|\"symmetric\"]",
                                      read_q_type, write_string};

template <>
struct schema<WeightQuantConfig> {
    using C = WeightQuantConfig;
    static constexpr Container container = Container::pydantics_choice;
    static constexpr std::array rows = {
        field(&C::enabled, {.name = "enabled", .doc = "Quantizes weights."}),
        field(&C::num_bits, {.name = "num_bits", .doc = "Bits of a weight."}),
        field(&C::q_type,
              {.name = "q_type", .doc = "Whether zero is in the middle.", .type = &dszero::q_type}),
        field(&C::q_groups, {.name = "q_groups", .doc = "Groups with a scale each."}),
        field(&C::quantized_initialization, {.name = "quantized_initialization",
                                             .doc = "How weights are quantized as they are created.",
                                             .type = &dictionary_type}),
        field(&C::post_init_quant, {.name = "post_init_quant",
                                    .doc = "How weights are quantized afterwards.",
                                    .type = &dictionary_type}),
    };
    static constexpr std::array<Check, 0> checks{};
    static_assert(no_name_twice(rows));
};

inline bool read_weight_quantization(void* member, const Value& value, const Row& row, Reading& r,
                                     const Path& path) {
    auto& config = *static_cast<std::optional<WeightQuantConfig>*>(member);
    return read_modelled(&config.emplace(), value, row, r, path);
}
template <>
inline constexpr MemberType member_type<std::optional<WeightQuantConfig>> =
    optional_section<WeightQuantConfig>("an object", read_weight_quantization);

}  // namespace dszero
