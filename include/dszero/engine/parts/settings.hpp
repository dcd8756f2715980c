// SPDX-License-Identifier: MIT
//
// From the configuration to the engine's settings, once: types, averaging, limits,
// the optimizer and its schedule. What DeepSpeed would refuse, or the engine does not
// have, is an error here, before anything is allocated; what it does otherwise than
// the configuration says becomes a note, which the engine's report repeats.
#pragma once

#include <dszero/config/batch.hpp>
#include <dszero/config/gradients.hpp>
#include <dszero/config/lr_schedules.hpp>
#include <dszero/config/optimizer_params.hpp>
#include <dszero/config/precision.hpp>
#include <dszero/config/zero.hpp>
#include <dszero/engine/bucket.hpp>
#include <dszero/engine/loss_scale.hpp>
#include <dszero/engine/numeric/view.hpp>
#include <dszero/engine/optimizers.hpp>
#include <dszero/engine/parts/erased_optimizer.hpp>
#include <dszero/engine/parts/setup.hpp>
#include <dszero/engine/scheduler.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace dszero {

struct Settings : StageSettings {
    ZeroStageEnum stage = ZeroStageEnum::disabled;
    std::size_t micro_steps = 1;

    LossScale loss_scale;
    bool check_overflow = true;
    double clipping = 0;       ///< 0: none
    bool compute_norm = true;  ///< false: no step has one

    std::optional<ErasedOptimizer> optimizer;
    double lr = 0;
    double weight_decay = 0;
    std::optional<Schedule> schedule;

    std::vector<std::string> notes;
};

constexpr ScalarType scalar_type_of(DataType type) {
    return type == DataType::fp16   ? ScalarType::fp16
           : type == DataType::bf16 ? ScalarType::bf16
                                    : ScalarType::fp32;
}

/// The optimizer that `params` describe, with its rate and decay.
inline void set_optimizer(Settings& s, const OptimizerParams& params) {
    const auto set = [&](auto optimizer, double lr, double weight_decay) {
        s.optimizer = ErasedOptimizer(optimizer);
        s.lr = lr;
        s.weight_decay = weight_decay;
    };
    if (const auto* adam = std::get_if<AdamParams>(&params))
        set(Adam{adam->betas[0], adam->betas[1], adam->eps, adam->adam_w_mode, adam->bias_correction},
            adam->lr, adam->weight_decay);
    else if (const auto* adagrad = std::get_if<AdagradParams>(&params))
        set(Adagrad{adagrad->eps, adagrad->lr_decay, static_cast<float>(adagrad->initial_accumulator_value)},
            adagrad->lr, adagrad->weight_decay);
    else if (const auto* lion = std::get_if<LionParams>(&params))
        set(Lion{lion->betas[0], lion->betas[1]}, lion->lr, lion->weight_decay);
    else if (const auto* sgd = std::get_if<SGDParams>(&params))
        set(Sgd{sgd->momentum, sgd->dampening, sgd->nesterov}, sgd->lr, sgd->weight_decay);
    const bool has_betas =
        std::holds_alternative<AdamParams>(params) || std::holds_alternative<LionParams>(params);
    if (s.schedule && s.schedule->betas(1) && !has_betas)
        s.notes.push_back("scheduler: cycle_momentum has no effect, the optimizer has no betas");
}

/// How sums become averages. Dividing by the ranks comes first, so that all stages give the same bits; only a
/// gradient_predivide_factor moves part of it behind the sum. DeepSpeed heeds that one where it does not
/// reduce-scatter: at stage 0, and with reduce_scatter off.
inline Averaging averaging(double factor, bool prescale, const DeepSpeedZeroConfig& zero, double ranks) {
    const bool heeded = zero.stage == ZeroStageEnum::disabled || !zero.reduce_scatter;
    if (!heeded && zero.stage >= ZeroStageEnum::gradients && (factor != 1 || prescale))
        throw std::invalid_argument(
            "gradient_predivide_factor and prescale_gradients need reduce_scatter: false at "
            "stages 2 and 3");
    if (!(factor > 0)) throw std::invalid_argument("gradient_predivide_factor must be greater than 0");
    if (!heeded || prescale || factor == 1) return {static_cast<float>(ranks), 1};
    return {static_cast<float>(factor), static_cast<float>(factor / ranks)};
}

inline LossScale loss_scale(const DeepSpeedFP16Config& fp16) {
    if (!fp16.enabled) return LossScale(1);
    if (fp16.loss_scale != 0) return LossScale(fp16.loss_scale);
    // above, DeepSpeed's backward is an OverflowError, for torch does not take the integer; below, a float
    // cannot hold what unscales
    if (fp16.initial_scale_power < -126 || fp16.initial_scale_power > 63)
        throw std::invalid_argument("fp16: initial_scale_power must be from -126 to 63; got " +
                                    std::to_string(fp16.initial_scale_power));
    LossScale::Dynamic dynamic;
    dynamic.initial = std::ldexp(1.0, static_cast<int>(fp16.initial_scale_power));
    dynamic.window = fp16.loss_scale_window;
    dynamic.hysteresis = fp16.hysteresis;
    dynamic.consecutive_hysteresis = fp16.consecutive_hysteresis;
    dynamic.minimum = static_cast<double>(fp16.min_loss_scale);
    if (dynamic.window <= 0 || dynamic.minimum <= 0)
        throw std::invalid_argument("fp16: loss_scale_window and min_loss_scale must be greater than 0");
    return LossScale(dynamic);
}

/// What the engine has not, or has otherwise.
template <class Config>
void heed_limits(Settings& s, const Config& config) {
    const DeepSpeedZeroConfig& zero = config.zero_config;
    const auto refuse_if = [](bool given, const char* what) {
        if (given) throw std::invalid_argument(std::string(what) + " is not offered by dszero's engine");
    };
    refuse_if(config.torch_autocast.enabled, "torch_autocast");
    refuse_if(config.tensor_parallel_config.autotp_size > 1, "tensor_parallel");
    refuse_if(config.sequence_parallel_size > 1, "sequence_parallel_size");
    refuse_if(zero.zenflow.has_value(), "zenflow");
    refuse_if(zero.zero_quantized_weights || zero.zero_quantized_gradients,
              "quantized communication (ZeRO++)");
    refuse_if(zero.zero_quantized_nontrainable_weights, "zero_quantized_nontrainable_weights");
    refuse_if(zero.mics_shard_size > 0, "MiCS");
    if (zero.zero_hpz_partition_size > 1)
        s.notes.push_back("zero_hpz_partition_size: there is no second partition; results are the same");
}

/// Negative ones count as none.
constexpr std::size_t elements(std::int64_t number) {
    return static_cast<std::size_t>(std::max<std::int64_t>(0, number));
}

/// Where there is no norm there is no clipping by it. As in DeepSpeed, nor what it computes together with
/// one.
inline void check_norm_is_not_needed(const Settings& s, const DeepSpeedZeroConfig& zero) {
    const auto& offload = zero.offload_optimizer;
    const auto refuse_if = [](bool given, const char* what) {
        if (given) throw std::invalid_argument(std::string("compute_grad_norm false cannot go with ") + what);
    };
    refuse_if(s.clipping > 0, "gradient_clipping, which is 1 unless it is set to 0");
    refuse_if(offload && offload->device != OffloadDeviceEnum::none, "offload_optimizer");
    refuse_if(zero.stage == ZeroStageEnum::optimizer_states && s.model == ScalarType::bf16 &&
                  s.accumulation == ScalarType::fp32,
              "bf16 and grad_accum_dtype fp32 at stage 1");
    refuse_if(zero.stage != ZeroStageEnum::optimizer_states && zero.stage != ZeroStageEnum::gradients,
              "stages 0 and 3");
}

/// Where offload_optimizer and offload_param put things.
inline void place(Settings& s, const DeepSpeedZeroConfig& zero) {
    const auto folder = [](const char* section, const std::optional<std::string>& path) {
        if (!path || path->empty())
            throw std::invalid_argument(std::string(section) +
                                        ": device nvme needs nvme_path, a folder on the disk");
        return *path;
    };
    if (const auto& optimizer = zero.offload_optimizer;
        optimizer && optimizer->device != OffloadDeviceEnum::none) {
        if (!(optimizer->ratio >= 0 && optimizer->ratio <= 1))
            throw std::invalid_argument("offload_optimizer: ratio must be from 0 to 1");
        s.placement.optimizer = s.placement.gradients = Home(Tier::host, optimizer->pin_memory);
        s.placement.ratio = optimizer->ratio;
        if (optimizer->device == OffloadDeviceEnum::nvme) {
            s.placement.optimizer = Tier::nvme;
            s.placement.optimizer_store.directory = folder("offload_optimizer", optimizer->nvme_path);
            s.placement.tiling.buffer_count = elements(optimizer->buffer_count);
            s.placement.tiling.pipeline_read = optimizer->pipeline_read;
            s.placement.tiling.pipeline_write = optimizer->pipeline_write;
            s.placement.tiling.pin_memory = optimizer->pin_memory;
            s.placement.fast_init = optimizer->fast_init;
        }
        if (optimizer->super_offload)
            s.notes.push_back("super_offload: needs CUDA; it is the offload to " +
                              std::string(to_string(optimizer->device)) + " without it");
    }
    if (const auto& param = zero.offload_param; param && param->device != OffloadDeviceEnum::none) {
        if (zero.stage != ZeroStageEnum::weights) {
            s.notes.push_back(
                "offload_param: below stage 3 every rank needs all weights at hand: they stay on the device");
            return;
        }
        s.placement.weights = Home(Tier::host, param->pin_memory);
        if (param->device == OffloadDeviceEnum::nvme) {
            s.placement.weights = Tier::nvme;
            s.placement.weights_store.directory = folder("offload_param", param->nvme_path);
            s.placement.buffers = {elements(param->buffer_count), elements(param->buffer_size),
                                   param->pin_memory};
            s.placement.kept_in_host = elements(param->max_in_cpu);
        }
    }
}

/// `Config` is DeepSpeedConfig. Throws std::invalid_argument.
template <class Config>
Settings settings_from(const Config& config, std::size_t ranks) {
    const DeepSpeedZeroConfig& zero = config.zero_config;
    Settings s;
    s.stage = zero.stage;
    s.micro_steps = elements(complete_batch(config, static_cast<std::int64_t>(ranks)).accumulation);

    const DeepSpeedFP16Config& fp16 = config.float16_config;
    const DeepSpeedBF16Config& bf16 = config.bfloat16_config;
    if (fp16.enabled && bf16.enabled) throw std::invalid_argument("fp16 and bf16 cannot both be enabled");
    if (fp16.fp16_master_weights_and_grads || bf16.bf16_master_weights_and_grads ||
        bf16.bf16_optimizer_states)
        throw std::invalid_argument("16-bit master weights and states are not offered: they are fp32");
    s.model = fp16.enabled ? ScalarType::fp16 : bf16.enabled ? ScalarType::bf16 : ScalarType::fp32;
    s.accumulation = s.model;
    if (const std::optional<std::string> word = config.data_types.grad_accum_dtype) {
        const auto type = data_type_named(*word);
        if (!type || (scalar_type_of(*type) != s.model && *type != DataType::fp32))
            throw std::invalid_argument("grad_accum_dtype must be the model's type, " +
                                        std::string(to_string(s.model)) + ", or fp32; got \"" + *word + '"');
        s.accumulation = scalar_type_of(*type);
    }

    s.reducer.communication =
        config.communication_data_type ? scalar_type_of(*config.communication_data_type) : s.model;
    const bool sums = config.gradient_allreduce_op == GradientAllreduceOp::sum;
    if (sums && zero.stage == ZeroStageEnum::weights)
        throw std::invalid_argument("gradient_allreduce_op \"sum\" is not there at stage 3");
    if (!sums)
        s.reducer.averaging = averaging(config.gradient_predivide_factor, config.prescale_gradients, zero,
                                        static_cast<double>(ranks));
    s.reducer.all_reduce = !zero.reduce_scatter;
    s.reducer.overlap = zero.overlap_comm.value_or(zero.stage == ZeroStageEnum::weights);
    s.reduce_bucket_size = elements(zero.reduce_bucket_size);
    s.round_robin = zero.round_robin_gradients;
    if (zero.parameter_alignment) s.parameter_alignment = 16 / size_of(s.model);
    s.sub_group_size = elements(zero.sub_group_size);
    s.gather = {elements(zero.param_persistence_threshold), elements(zero.model_persistence_threshold),
                elements(zero.max_live_parameters), elements(zero.max_reuse_distance),
                elements(zero.prefetch_bucket_size)};

    s.loss_scale = loss_scale(fp16);
    s.check_overflow = !bf16.enabled || bf16.check_grad_overflow;
    s.clipping = config.gradient_clipping;
    s.compute_norm = zero.compute_grad_norm;
    if (!s.compute_norm) check_norm_is_not_needed(s, zero);
    if (!config.managed_gradient_accumulation)
        throw std::invalid_argument("managed_gradient_accumulation false is not offered by dszero's engine");
    if (const auto params = typed_params(config.scheduler)) {
        s.schedule = Schedule(*params);
        for (std::string& note : s.schedule->notes()) s.notes.push_back("scheduler: " + note);
    }
    heed_limits(s, config);
    place(s, zero);
    return s;
}

}  // namespace dszero
