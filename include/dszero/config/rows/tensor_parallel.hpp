// SPDX-License-Identifier: MIT
//
// Rows of sections/tensor_parallel.hpp: how it is read, checked, written and described.
#pragma once

#include <dszero/config/document_sections.hpp>
#include <dszero/config/model_types.hpp>
#include <dszero/config/sections/tensor_parallel.hpp>

#include <array>
#include <string>
#include <string_view>

namespace dszero {

template <>
struct schema<TPConfig> {
    using C = TPConfig;
    static constexpr Container container = Container::pydantics_choice;
    static constexpr std::array rows = {
        field(&C::tp_size, {.name = "tp_size", .doc = "Ranks that a layer is split across."}),
        field(&C::tp_grain_size, {.name = "tp_grain_size", .doc = "Sizes are multiples of this."}),
        field(
            &C::mpu,
            {.name = "mpu", .doc = "A Python object; nothing that a document can give.", .type = &anything}),
        field(&C::tp_group, {.name = "tp_group",
                             .doc = "A Python object; nothing that a document can give.",
                             .type = &anything}),
    };
    static constexpr std::array<Check, 0> checks{};
    static_assert(no_name_twice(rows));
};

template <>
inline constexpr MemberType member_type<TPConfig> = section_type<TPConfig>;

/// pydantic wants an instance of torch.dtype, which no document can hold.
inline bool read_torch_dtype(void*, const Value& value, const Row& row, Reading& r, const Path& path) {
    r.error("wrong-type", path, r.value_span(value),
            std::string(row.name) + " cannot be given in a document, got " + r.shown(value), "remove it");
    return false;
}
inline constexpr MemberType torch_dtype = {"nothing: it cannot be given in a document", "none",
                                           read_torch_dtype, write_string};

inline bool read_ce_backend(void* member, const Value& value, const Row& row, Reading& r, const Path& path) {
    constexpr std::array<std::string_view, 2> backends = {"torch", "liger"};
    return read_word(backends, *static_cast<std::string*>(member), value, row, r, path);
}
inline constexpr MemberType ce_backend = {"\"torch\" or \"liger\"", "[\"torch\"|\"liger\"]", read_ce_backend,
                                          write_string};

template <>
struct schema<TPTrainingConfig> {
    using C = TPTrainingConfig;
    static constexpr Container container = Container::pydantics_choice;
    static constexpr std::array rows = {
        field(&C::dtype,
              {.name = "dtype", .doc = "The type that the model is converted to.", .type = &torch_dtype}),
        field(&C::autotp_size,
              {.name = "autotp_size", .doc = "Ranks that layers are split across; 0: none."}),
        field(&C::tp_overlap_comm, {.name = "tp_overlap_comm",
                                    .doc = "Lets communication overlap with computation.",
                                    .since = "0.16.6"}),
        field(&C::vocab_parallel_lm_head, {.name = "vocab_parallel_lm_head",
                                           .doc = "Splits the vocabulary; null: as the model plans.",
                                           .since = "0.19.8"}),
        field(&C::vocab_parallel_ce_backend, {.name = "vocab_parallel_ce_backend",
                                              .doc = "What computes the loss over a split vocabulary.",
                                              .since = "0.19.8",
                                              .type = &ce_backend}),
        field(&C::tensor_parallel,
              {.name = "tensor_parallel", .alias = "tp", .doc = "How the model is split."}),
        field(&C::injection_policy_tuple, {.name = "injection_policy_tuple",
                                           .doc = "Which layers need an all-reduce.",
                                           .type = &optional_list_type}),
        field(&C::partition_config,
              {.name = "partition_config", .doc = "Rules for which layer is split how.", .since = "0.18.6"}),
        field(&C::preset_model, {.name = "preset_model",
                                 .doc = "Rules that DeepSpeed has for a model: llama, mixtral, …",
                                 .since = "0.18.6",
                                 .type = &optional_text_type}),
        field(&C::keep_module_on_host, {.name = "keep_module_on_host",
                                        .doc = "Leaves checkpoints on the host while they are loaded."}),
        field(&C::replace_with_kernel_inject, {.name = "replace_with_kernel_inject",
                                               .alias = "kernel_inject",
                                               .doc = "Uses DeepSpeed's kernels."}),
    };
    static constexpr std::array<Check, 0> checks{};
    static_assert(no_name_twice(rows));
};

template <>
inline constexpr MemberType member_type<TPTrainingConfig> = modelled_section<TPTrainingConfig>;

}  // namespace dszero
