// SPDX-License-Identifier: MIT
//
// The parameters of the optimizers that dszero's engine has, with their types.
// Source: deepspeed/runtime/engine.py, ops/adam, ops/adagrad, ops/lion; torch.optim.
#pragma once

#include <dszero/config/optimizer.hpp>
#include <dszero/config/typed_params.hpp>

#include <array>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>

namespace dszero {

/// Adam, and AdamW: they differ in where the weight decay goes in.
struct AdamParams {
    double lr = 1e-3;
    std::array<double, 2> betas = {0.9, 0.999};
    double eps = 1e-8;
    double weight_decay = 0;
    bool bias_correction = true;
    bool adam_w_mode = true;  ///< decay the weights themselves, not the gradient; always so for AdamW
    bool torch_adam = false;  ///< torch's class, whose weight_decay is 0.01 for AdamW where it is not given
    bool amsgrad = false;
    bool fp32_optimizer_states = true;

    bool operator==(const AdamParams&) const = default;
};
template <>
inline constexpr std::string_view section_name<AdamParams> = "Adam";

struct AdagradParams {
    double lr = 1e-2;
    double lr_decay = 0;
    double weight_decay = 0;
    double initial_accumulator_value = 0;
    double eps = 1e-10;

    bool operator==(const AdagradParams&) const = default;
};
template <>
inline constexpr std::string_view section_name<AdagradParams> = "Adagrad";

struct LionParams {
    double lr = 1e-3;
    std::array<double, 2> betas = {0.9, 0.99};
    double weight_decay = 0;

    bool operator==(const LionParams&) const = default;
};
template <>
inline constexpr std::string_view section_name<LionParams> = "Lion";

struct SGDParams {
    double lr = 1e-3;
    double momentum = 0;
    double dampening = 0;
    double weight_decay = 0;
    bool nesterov = false;

    bool operator==(const SGDParams&) const = default;
};
template <>
inline constexpr std::string_view section_name<SGDParams> = "SGD";

using OptimizerParams = std::variant<AdamParams, AdagradParams, LionParams, SGDParams>;

/// The optimizer's parameters with their types. Throws std::invalid_argument, with every problem, for an
/// optimizer or a parameter that the engine does not have.
inline OptimizerParams typed_params(const OptimizerConfig& optimizer) {
    const std::string type = optimizer.type.value_or("");
    const Json& given = optimizer.params;
    std::string lower = type;
    for (char& ch : lower)
        if (ch >= 'A' && ch <= 'Z') ch = static_cast<char>(ch - 'A' + 'a');
    if (lower == "adam" || lower == "adamw") {
        AdamParams params = read_params(AdamParams(), type, given);
        params.adam_w_mode = params.adam_w_mode || lower == "adamw";
        if (params.torch_adam &&
            params.adam_w_mode) {  // torch.optim.AdamW: the one class with a decay by default
            params.weight_decay = 1e-2;
            const bool adam_w_mode = params.adam_w_mode;
            read_params(params, type, given);
            params.adam_w_mode = adam_w_mode;
        }
        if (params.amsgrad) throw std::invalid_argument("optimizer " + type + ": amsgrad is not offered");
        if (!params.fp32_optimizer_states)
            throw std::invalid_argument("optimizer " + type + ": fp32_optimizer_states false is not offered");
        return params;
    }
    if (lower == "adagrad") return read_params(AdagradParams(), type, given);
    if (lower == "lion") return read_params(LionParams(), type, given);
    if (type == "SGD") return read_params(SGDParams(), type, given);  // torch's: its case counts
    throw std::invalid_argument((type.empty() ? std::string("no optimizer is given; choose one of")
                                              : "optimizer \"" + type + "\" is not one of") +
                                " Adam, AdamW, Adagrad, Lion, SGD");
}

template <>
struct schema<AdamParams> {
    using C = AdamParams;
    static constexpr Container container = Container::pydantics_choice;
    static constexpr std::array rows = {
        field(&C::lr, {.name = "lr", .doc = "Learning rate.", .at_least = 0.0}),
        field(&C::betas, {.name = "betas", .doc = "How much of the moments is kept in each step."}),
        field(&C::eps, {.name = "eps", .doc = "Added to the root of the second moment.", .at_least = 0.0}),
        field(&C::weight_decay,
              {.name = "weight_decay", .doc = "Share of a weight that is taken off, times lr."}),
        field(&C::bias_correction,
              {.name = "bias_correction", .doc = "Makes up for moments that start at zero."}),
        field(&C::adam_w_mode,
              {.name = "adam_w_mode", .doc = "Decays weights, not gradients; for type Adam."}),
        field(&C::torch_adam, {.name = "torch_adam", .doc = "Uses torch's implementation."}),
        field(&C::amsgrad, {.name = "amsgrad", .doc = "Not offered: must be false."}),
        field(&C::fp32_optimizer_states,
              {.name = "fp32_optimizer_states", .doc = "Keeps the moments in fp32."}),
    };
    static constexpr std::array<Check, 0> checks{};
};

template <>
struct schema<AdagradParams> {
    using C = AdagradParams;
    static constexpr Container container = Container::pydantics_choice;
    static constexpr std::array rows = {
        field(&C::lr, {.name = "lr", .doc = "Learning rate.", .at_least = 0.0}),
        field(&C::lr_decay,
              {.name = "lr_decay", .doc = "Lowers the rate with the number of steps.", .at_least = 0.0}),
        field(&C::weight_decay,
              {.name = "weight_decay", .doc = "Share of the weight added to its gradient."}),
        field(&C::initial_accumulator_value, {.name = "initial_accumulator_value",
                                              .doc = "What the sum of squares starts at.",
                                              .at_least = 0.0}),
        field(&C::eps, {.name = "eps", .doc = "Added to the root of the sum of squares.", .at_least = 0.0}),
    };
    static constexpr std::array<Check, 0> checks{};
};

template <>
struct schema<LionParams> {
    using C = LionParams;
    static constexpr Container container = Container::pydantics_choice;
    static constexpr std::array rows = {
        field(&C::lr, {.name = "lr", .doc = "Learning rate.", .at_least = 0.0}),
        field(&C::betas,
              {.name = "betas", .doc = "Shares of the momentum, in the step and in what is kept."}),
        field(&C::weight_decay,
              {.name = "weight_decay", .doc = "Share of a weight that is taken off, times lr."}),
    };
    static constexpr std::array<Check, 0> checks{};
};

template <>
struct schema<SGDParams> {
    using C = SGDParams;
    static constexpr Container container = Container::pydantics_choice;
    static constexpr std::array rows = {
        field(&C::lr, {.name = "lr", .doc = "Learning rate.", .at_least = 0.0}),
        field(&C::momentum,
              {.name = "momentum", .doc = "How much of the step before is kept.", .at_least = 0.0}),
        field(&C::dampening,
              {.name = "dampening", .doc = "Share of the gradient that the momentum leaves out."}),
        field(&C::weight_decay,
              {.name = "weight_decay", .doc = "Share of the weight added to its gradient."}),
        field(&C::nesterov, {.name = "nesterov", .doc = "Looks ahead along the momentum."}),
    };
    static constexpr std::array<Check, 0> checks{};
};

}  // namespace dszero
