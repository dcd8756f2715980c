// SPDX-License-Identifier: MIT
//
// A document's batch numbers: given, completed for its ranks, or chosen by elasticity.
// Source: _set_batch_related_parameters, _batch_assertion and the elastic part of __init__ in
// DeepSpeedConfig, deepspeed/runtime/config.py.
#pragma once

#include <dszero/config/batch.hpp>
#include <dszero/config/elasticity.hpp>
#include <dszero/config/removed_keys.hpp>
#include <dszero/config/rows/deepspeed_config.hpp>
#include <dszero/config/section.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dszero {

/// The section elasticity, where it is enabled; its json is null otherwise.
inline Value enabled_elasticity(const Checking& c) {
    if (c.reading.behaviour.release >= Release("0.19.8")) return {};
    const Member* elasticity = find_written(c, "elasticity");
    if (!elasticity || !elasticity->value.json->is_object()) return {};
    const Members members = c.reading.members_of(elasticity->value);
    const Member* enabled = find_member(members, "enabled");
    return enabled && is_truthy(*enabled->value.json) ? elasticity->value : Value();
}
inline ElasticBatch elastic_batch(const Checking& c, const Value& elasticity) {
    return elastic_batch(kept(elasticity, c.reading), c.reading.circumstances.world_size,
                         c.reading.behaviour.release);
}

inline void elastic_training_is_possible(Checking& c) {
    const Value value = enabled_elasticity(c);
    if (!value.json) return;
    const Members members = c.reading.members_of(value);
    const Path path{.key = "elasticity"};
    if (const ElasticBatch batch = elastic_batch(c, value); !batch.fault.empty()) {
        const Member* at = find_member(members, batch.key);
        c.reading.error("elastic-batch", at ? Path{.parent = &path, .key = at->key} : path,
                        at ? c.reading.value_span(at->value) : c.reading.key_span(value), batch.fault);
    }
    const Member* ignore = find_member(members, "ignore_non_elastic_batch_info");
    if (ignore && is_truthy(*ignore->value.json)) return;
    for (const std::string_view key : batch_keys)
        if (const Member* member = find_written(c, key))
            c.reading.error("elastic-batch", Path{.key = key}, c.reading.key_span(member->value),
                            std::string(key) + " cannot be given while elasticity is enabled",
                            "remove it, or set elasticity.ignore_non_elastic_batch_info");
}

/// Trainer and Accelerate replace "auto" before DeepSpeed sees the document.
inline bool is_left_to_caller(const Checking& c, const Json& json) {
    return c.reading.circumstances.caller != Caller::deepspeed && is_word(json, "auto");
}

/// The ranks that share a batch. A caller that hands over a dictionary may divide them by
/// sequence_parallel_size; empty, and reported, where Python cannot.
inline std::optional<ExactNumber> data_parallel_ranks(Checking& c) {
    const ExactNumber ranks(c.reading.circumstances.world_size);
    if (c.reading.circumstances.caller == Caller::deepspeed) return ranks;
    const Given& given = c.field("sequence_parallel_size");
    if (!given.present) return ranks;
    const BatchTerm size = batch_term(*given.value.json, c.reading.spelling(given.value));
    const auto divisor =
        size.kind == BatchTerm::number && size.value.sign() != 0 ? size.value.real() : std::nullopt;
    if (divisor) return ExactNumber(*ranks.real() / *divisor);
    c.reading.check = "shape:sequence_parallel_size";
    c.reading.error(
        "wrong-type", Path{.key = given.key}, c.reading.value_span(given.value),
        "sequence_parallel_size must be a number other than 0, got " + c.reading.shown(given.value));
    return std::nullopt;
}

/// Completes the three numbers, for the ranks that the document is judged for.
inline void batch_numbers_agree(Checking& c) {
    auto& config = c.object<DeepSpeedConfig>();
    const std::array<BatchNumber*, 3> numbers = {&config.train_batch_size,
                                                 &config.train_micro_batch_size_per_gpu,
                                                 &config.gradient_accumulation_steps};
    std::array<BatchTerm, 3> terms;
    const Value elasticity = enabled_elasticity(c);
    if (elasticity.json) {
        const ElasticBatch batch = elastic_batch(c, elasticity);
        if (!batch.known || !batch.fault.empty()) return;
        const std::array<std::int64_t, 3> chosen = {batch.train, batch.micro, batch.accumulation};
        for (std::size_t i = 0; i < 3; ++i) {
            *numbers[i] = chosen[i];
            terms[i] = {BatchTerm::number, ExactNumber(chosen[i])};
        }
    }
    bool left_to_caller = false;
    for (std::size_t i = 0; i < 3 && !elasticity.json; ++i) {
        const Given& given = c.field(batch_keys[i]);
        if (!given.present) continue;
        if (is_left_to_caller(c, *given.value.json)) {
            left_to_caller = true;
            *numbers[i] = {};
        } else {
            terms[i] = batch_term(*given.value.json, c.reading.spelling(given.value));
        }
    }
    const auto ranks = data_parallel_ranks(c);
    if (!ranks) return;
    const auto fault = complete_batch(terms, *ranks);
    if (fault && fault->code == "batch-missing" && left_to_caller) return;
    if (!fault) {
        for (std::size_t i = 0; i < 3; ++i)
            if (numbers[i]->json.is_null()) *numbers[i] = {terms[i].value.json(), true};
        return;
    }
    c.reading.check = fault->code;
    std::replace(c.reading.check.begin(), c.reading.check.end(), '-', '_');
    std::size_t at = fault->key;
    for (std::size_t i = 0; i < 3 && !c.field(batch_keys[at]).present; ++i) at = i;
    const Given& given = c.field(batch_keys[at]);
    if (given.present)
        c.reading.error(fault->code, Path{.key = batch_keys[at]}, c.reading.value_span(given.value),
                        fault->message, fault->hint);
    else
        c.reading.report(Severity::error, fault->code, {}, {}, fault->message, fault->hint);
}

}  // namespace dszero
