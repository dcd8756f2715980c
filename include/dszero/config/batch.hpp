// SPDX-License-Identifier: MIT
//
// The three batch numbers, of which DeepSpeed works out what is not given.
// It does so with whatever numbers it finds, whole or not, in Python's arithmetic.
// Source: _set_batch_related_parameters and _batch_assertion in deepspeed/runtime/config.py.
#pragma once

#include <dszero/config/batch_number.hpp>
#include <dszero/config/coerce.hpp>
#include <dszero/config/exact_number.hpp>
#include <dszero/config/json_values.hpp>
#include <dszero/config/release.hpp>
#include <dszero/text/unicode.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace dszero {

/// Their keys, in DeepSpeed's order.
constexpr std::array<std::string_view, 3> batch_keys = {"train_batch_size", "train_micro_batch_size_per_gpu",
                                                        "gradient_accumulation_steps"};

/// What stands at one of the keys: a number, nothing (or null), or something else.
struct BatchTerm {
    enum Kind : unsigned char { absent, number, other } kind = absent;
    ExactNumber value;
};

/// Why DeepSpeed refuses the numbers.
struct BatchFault {
    std::string_view code;  ///< batch-missing, batch-arithmetic, …
    std::size_t key;        ///< the one to point at, if it was given
    std::string message;
    std::string hint;
};

/// `spelling`: of the number in the text, if there is one.
inline BatchTerm batch_term(const Json& json, std::string_view spelling) {
    if (json.is_null()) return {};
    if (json.is_boolean()) return {BatchTerm::number, ExactNumber(std::int64_t{boolean_in(json)})};
    if (!json.is_number()) return {BatchTerm::other, {}};
    const PythonNumber n = python_number(json, spelling);
    if (!n.is_integer) return {BatchTerm::number, ExactNumber(n.real)};
    if (!n.saturated) return {BatchTerm::number, ExactNumber(n.integer)};
    if (json.is_number_unsigned()) spelling = {};
    return {BatchTerm::number,
            ExactNumber::spelled(spelling.empty() ? write_json(json) : ascii_digits(spelling))};
}

/// Completes the numbers for `world` ranks, and makes DeepSpeed's assertions.
inline std::optional<BatchFault> complete_batch(std::array<BatchTerm, 3>& terms, const ExactNumber& world) {
    BatchTerm &train = terms[0], &micro = terms[1], &accumulation = terms[2];
    const auto is_there = [](const BatchTerm& term) { return term.kind != BatchTerm::absent; };
    const std::array<bool, 3> given = {is_there(train), is_there(micro), is_there(accumulation)};
    std::optional<BatchFault> fault;

    using Operation = std::optional<ExactNumber>(const ExactNumber&, const ExactNumber&);
    Operation* const times = [](const ExactNumber& a, const ExactNumber& b) { return multiply(a, b); };
    Operation* const over = [](const ExactNumber& a, const ExactNumber& b) { return floor_divide(a, b); };
    // a * b * c or a // b // c, where there is a c
    const auto work_out = [&](BatchTerm& out, Operation* operation, const BatchTerm& a, const BatchTerm& b,
                              const BatchTerm* c) {
        if (fault) return;
        std::optional<ExactNumber> result;
        if (a.kind == BatchTerm::number && b.kind == BatchTerm::number) result = operation(a.value, b.value);
        if (result && c) result = c->kind == BatchTerm::number ? operation(*result, c->value) : std::nullopt;
        if (result) {
            out.kind = BatchTerm::number;
            out.value = std::move(*result);
            return;
        }
        for (std::size_t i = 0; i < 3; ++i) {
            if (terms[i].kind == BatchTerm::other)
                fault = {"batch-arithmetic", i, std::string(batch_keys[i]) + " must be a number", {}};
            else if (!fault && given[i] && terms[i].value.sign() == 0)
                fault = {
                    "batch-arithmetic", i, std::string(batch_keys[i]) + " must be greater than 0, got 0", {}};
        }
        if (!fault) fault = {"batch-arithmetic", 0, "a batch number is too large for a float", {}};
    };
    const BatchTerm ranks{BatchTerm::number, world};
    if (!given[0] && !given[1])
        return BatchFault{"batch-missing", 2, "the batch size is missing",
                          "give train_batch_size or train_micro_batch_size_per_gpu"};
    if (given[0] && given[1]) {
        if (!given[2]) work_out(accumulation, over, train, micro, &ranks);
    } else {
        if (!given[2]) accumulation = {BatchTerm::number, ExactNumber(1)};
        if (given[0])
            work_out(micro, over, train, ranks, given[2] ? &accumulation : nullptr);
        else
            work_out(train, times, micro, accumulation, &ranks);
    }

    constexpr std::array<std::string_view, 3> not_positive = {
        "train-batch-not-positive", "micro-batch-not-positive", "accumulation-not-positive"};
    for (std::size_t i = 0; i < 3 && !fault; ++i) {
        if (terms[i].kind == BatchTerm::other) {
            fault = {"batch-arithmetic", i, std::string(batch_keys[i]) + " must be a number", {}};
        } else if (!(terms[i].value.sign() > 0)) {
            std::string message(batch_keys[i]);
            if (given[i])
                message += " must be greater than 0, got " + terms[i].value.str();
            else
                message += " works out as " + terms[i].value.str() + " with " + world.str() + " ranks";
            fault = {not_positive[i], i, std::move(message), {}};
        }
    }
    BatchTerm product;
    work_out(product, times, micro, accumulation, &ranks);
    if (!fault && !equal(train.value, product.value))
        fault = {"batch-product-mismatch", 0,
                 "train_batch_size " + train.value.str() + " is not train_micro_batch_size_per_gpu " +
                     micro.value.str() + " * gradient_accumulation_steps " + accumulation.value.str() +
                     " * " + world.str() + (equal(world, 1) ? " rank" : " ranks"),
                 "the product is " + product.value.str()};
    return fault;
}

/// The three batch numbers where all are whole.
struct Batch {
    std::int64_t train = 0;         ///< samples a step, over all ranks
    std::int64_t micro = 0;         ///< samples a rank sees between two calls of step()
    std::int64_t accumulation = 0;  ///< micro-steps a step
};

/// The numbers of a DeepSpeedConfig for that many ranks. Throws std::invalid_argument where DeepSpeed refuses
/// them, and where one is no whole number.
template <class Config>
Batch complete_batch(const Config& config, std::int64_t ranks) {
    const std::array<const BatchNumber*, 3> given = {&config.train_batch_size,
                                                     &config.train_micro_batch_size_per_gpu,
                                                     &config.gradient_accumulation_steps};
    std::array<BatchTerm, 3> terms;
    for (std::size_t i = 0; i < 3; ++i)
        if (!given[i]->completed) terms[i] = batch_term(given[i]->json, {});
    if (const auto fault = complete_batch(terms, ExactNumber(ranks)))
        throw std::invalid_argument(fault->message + (fault->hint.empty() ? "" : ": " + fault->hint));
    std::array<std::int64_t, 3> numbers{};
    for (std::size_t i = 0; i < 3; ++i) {
        const Json number = terms[i].value.json();
        const auto whole = to_integer(number, {}, Behaviour(newest_release));
        if (!whole)
            throw std::invalid_argument(std::string(batch_keys[i]) + " must be a whole number, got " +
                                        terms[i].value.str());
        numbers[i] = whole.value;
    }
    return {numbers[0], numbers[1], numbers[2]};
}

}  // namespace dszero
