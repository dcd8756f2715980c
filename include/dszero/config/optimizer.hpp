// SPDX-License-Identifier: MIT
//
// The section optimizer. DeepSpeed hands `params` to the optimizer's class as they
// are; typed_params() reads them for those that dszero's engine has.
// Source: deepspeed/runtime/engine.py, ops/adam, ops/adagrad, ops/lion; torch.optim.
#pragma once

#include <dszero/config/document_sections.hpp>
#include <dszero/config/field.hpp>
#include <dszero/config/member_types.hpp>
#include <dszero/config/plain.hpp>
#include <dszero/config/section.hpp>
#include <dszero/config/typed_params.hpp>

#include <array>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>

namespace dszero {

struct OptimizerConfig {
    std::optional<std::string> type;  ///< empty: none
    Json params = json_object();      ///< null where the document has none
    Plain<bool> legacy_fusion = false;

    bool operator==(const OptimizerConfig& other) const {
        return type == other.type && equal(params, other.params) && legacy_fusion == other.legacy_fusion;
    }
};

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

struct AdagradParams {
    double lr = 1e-2;
    double lr_decay = 0;
    double weight_decay = 0;
    double initial_accumulator_value = 0;
    double eps = 1e-10;

    bool operator==(const AdagradParams&) const = default;
};

struct LionParams {
    double lr = 1e-3;
    std::array<double, 2> betas = {0.9, 0.99};
    double weight_decay = 0;

    bool operator==(const LionParams&) const = default;
};

struct SGDParams {
    double lr = 1e-3;
    double momentum = 0;
    double dampening = 0;
    double weight_decay = 0;
    bool nesterov = false;

    bool operator==(const SGDParams&) const = default;
};

/// DeepSpeed's own optimizers go by any case, and are kept in lower case; others are torch's.
inline bool is_deepspeeds_optimizer(std::string_view lower, Release release) {
    constexpr struct {
        std::string_view name;
        Release since = oldest_release, until = still_there;
    } own[] = {{"adagrad"},
               {"adam"},
               {"adamw"},
               {"lamb"},
               {"onebitadam", oldest_release, "0.19.7"},
               {"zerooneadam", oldest_release, "0.19.7"},
               {"onebitlamb", oldest_release, "0.19.7"},
               {"muadam", "0.10.2"},
               {"muadamw", "0.10.2"},
               {"musgd", "0.10.2"},
               {"lion", "0.11.0"},
               {"muon", "0.17.6"}};
    for (const auto& optimizer : own)
        if (lower == optimizer.name) return optimizer.since <= release && release < optimizer.until;
    return false;
}

inline bool read_optimizer_name(void* member, const Value& value, const Row&, Reading& r, const Path& path) {
    auto& name = *static_cast<std::optional<std::string>*>(member);
    if (value.json->is_null()) {
        name.reset();
        return true;
    }
    if (!value.json->is_string()) return refuse_shape("optimizer", "a string", value, r, path);
    std::string lower = to_lower(string_in(*value.json));
    const bool own = is_deepspeeds_optimizer(lower, r.behaviour.release);
    name = own ? std::move(lower) : string_in(*value.json);
    return true;
}
inline constexpr MemberType optimizer_name = {"a string or null", "string", read_optimizer_name,
                                              write_optional<std::string, write_string>};

template <>
struct schema<OptimizerConfig> {
    using C = OptimizerConfig;
    static constexpr std::string_view name = "optimizer";
    static constexpr Container container = Container::dictionary;
    static constexpr std::array rows = {
        field(&C::type, {.name = "optimizer_name",
                         .alias = "type",
                         .doc = "The optimizer's name: Adam, AdamW, Adagrad, Lion, SGD, …",
                         .type = &optimizer_name}),
        field(&C::params, {.name = "optimizer_params",
                           .alias = "params",
                           .doc = "What its constructor takes: lr, betas, eps, weight_decay, …",
                           .type = &anything}),
        field(&C::legacy_fusion, {.name = "optimizer_legacy_fusion",
                                  .alias = "legacy_fusion",
                                  .doc = "Uses the first fused fp16 optimizer."}),
    };
    static constexpr std::array<Check, 0> checks{};
};

template <>
struct schema<AdamParams> {
    using C = AdamParams;
    static constexpr std::string_view name = "Adam";
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
    static constexpr std::string_view name = "Adagrad";
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
    static constexpr std::string_view name = "Lion";
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
    static constexpr std::string_view name = "SGD";
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

using OptimizerParams = std::variant<AdamParams, AdagradParams, LionParams, SGDParams>;

template <>
inline constexpr MemberType member_type<OptimizerConfig> = named_section<OptimizerConfig>;

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

}  // namespace dszero
