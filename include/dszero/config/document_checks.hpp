// SPDX-License-Identifier: MIT
//
// What spans several sections of a document, in DeepSpeed's order.
// Source: _initialize_params, _batch_assertion, _do_error_check and _do_warning_check in
// deepspeed/runtime/config.py.
#pragma once

#include <dszero/config/batch.hpp>
#include <dszero/config/deepspeed_config.hpp>
#include <dszero/config/section.hpp>
#include <dszero/config/zero_forms.hpp>

#include <array>
#include <string>
#include <string_view>
#include <utility>

namespace dszero {

/// One of DeepSpeed's checks, or something that it works out.
struct DocumentCheck {
    std::string_view name;      ///< a stable tag: batch_product_mismatch
    std::string_view sentence;  ///< what it asks for or does, for people
    std::string_view after;     ///< the row that it comes after; empty: it comes first; "end": after all rows
    void (*run)(Checking&) = nullptr;
    Release since = oldest_release;
    Release until = still_there;
};

// ---- as the document is read

/// The zero section of a document that has none.
inline void absent_zero_section_is_completed(Checking& c) {
    if (c.field("zero_config").present) return;
    read_members(section<DeepSpeedZeroConfig>, &c.object<DeepSpeedConfig>().zero_config, {}, {}, c.reading,
                 Path{.key = zero_optimization});
}

inline void fp16_and_bf16_exclude_each_other(Checking& c) {
    const auto& config = c.object<DeepSpeedConfig>();
    if (!config.float16_config.enabled || !config.bfloat16_config.enabled) return;
    const std::string_view row = c.field("bfloat16_config").taken() ? "bfloat16_config" : "bfloat16";
    c.reading.error("fp16-and-bf16", Path{.key = c.field(row).key}, c.reading.key_span(c.field(row).value),
                    "fp16 and bf16 cannot both be enabled", "disable one of them");
}

// ---- once it has been read

/// Completes the three numbers, for the ranks that the document is judged for.
inline void batch_numbers_agree(Checking& c) {
    auto& config = c.object<DeepSpeedConfig>();
    const std::array<BatchNumber*, 3> numbers = {&config.train_batch_size,
                                                 &config.train_micro_batch_size_per_gpu,
                                                 &config.gradient_accumulation_steps};
    std::array<BatchTerm, 3> terms;
    for (std::size_t i = 0; i < 3; ++i) {
        const Given& given = c.field(batch_keys[i]);
        if (given.present) terms[i] = batch_term(*given.value.json, c.reading.spelling(given.value));
    }
    const auto fault = complete_batch(terms, ExactNumber(c.reading.circumstances.world_size));
    if (!fault) {
        for (std::size_t i = 0; i < 3; ++i)
            if (numbers[i]->json.is_null()) *numbers[i] = {terms[i].value.json(), true};
        return;
    }
    c.reading.check = fault->check;
    std::string code(fault->check);
    for (char& ch : code)
        if (ch == '_') ch = '-';
    std::size_t at = fault->key;
    for (std::size_t i = 0; i < 3 && !c.field(batch_keys[at]).present; ++i) at = i;
    const Given& given = c.field(batch_keys[at]);
    if (given.present)
        c.reading.error(std::move(code), Path{.key = batch_keys[at]}, c.reading.value_span(given.value),
                        fault->message, fault->hint);
    else
        c.reading.report(Severity::error, std::move(code), {}, {}, fault->message, fault->hint);
}

inline constexpr std::array document_checks = {
    DocumentCheck{"zero_optimization", "a document without a zero section has its defaults", "zero_config",
                  absent_zero_section_is_completed},
    DocumentCheck{"fp16_and_bf16", "fp16 and bf16 exclude each other", "bfloat16",
                  fp16_and_bf16_exclude_each_other},
    DocumentCheck{"batch", "train_batch_size is the product of the other two and the ranks", "end",
                  batch_numbers_agree},
};

}  // namespace dszero
