// SPDX-License-Identifier: MIT
//
// A configuration as the attributes that DeepSpeed's object has, with what it works out of them.
#pragma once

#include <dszero/config/rows/deepspeed_config.hpp>
#include <dszero/config/section.hpp>

#include <string_view>
#include <utility>

namespace dszero {

/// Under the newest release's names; one that `release` does not have is null. Inside a section the keys are
/// that release's own.
inline Json write_document(const DeepSpeedConfig& config, Release release) {
    const Writing writing{release, true};
    Json out = json_object();
    const bool models_precision = Behaviour(release).models_precision;
    for (const Row& row : section<DeepSpeedConfig>.rows) {
        if (!row.is_attribute || row.deprecated()) continue;
        // this one had another key before 0.16.5
        const bool renamed =
            row.name == "seq_parallel_communication_data_type" && release >= Release("0.11.2");
        const bool is_precision = row.name == "float16_config" || row.name == "bfloat16_config";
        const bool known = (row.known_to(release) || renamed) && (models_precision || !is_precision);
        if (!known && row.until != still_there) continue;
        const void* member = section<DeepSpeedConfig>.member(&config, row);
        Json value = row.type->write(member, writing);
        const bool spread = row.name == "optimizer" || row.name == "scheduler" || row.name == "data_types";
        if (row.name == "zero_config") {
            append_member(out, "zero_optimization_stage",
                          json_integer(static_cast<int>(config.zero_config.stage)));
            append_member(out, "zero_enabled",
                          json_boolean(config.zero_config.stage != ZeroStageEnum::disabled));
        } else if (row.name == "torch_autocast") {
            append_member(out, "torch_autocast_enabled",
                          known ? Json(config.torch_autocast.enabled.json()) : Json());
            append_member(
                out, "torch_autocast_dtype",
                known && config.torch_autocast.dtype ? json_string(*config.torch_autocast.dtype) : Json());
        } else if (spread) {
            for (auto& [name, inner] : *value.get_ptr<Json::object_t*>())
                append_member(out, name, std::move(inner));
        } else {
            append_member(out, row.name, known ? std::move(value) : Json());
        }
    }
    return out;
}

}  // namespace dszero
