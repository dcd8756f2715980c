// SPDX-License-Identifier: MIT
//
// Replacing "auto" by what Hugging Face's Trainer would write, so that a document means
// the same to DeepSpeed alone. The edits leave comments and layout as they are.
// Source: HfTrainerDeepSpeedConfig in transformers 5.24.0, by running it. Releases of
// 2021 to 2024 wrote a fraction for stage3_prefetch_bucket_size; here it is an integer.
#pragma once

#include <dszero/config/document.hpp>
#include <dszero/lint/trainer_facts.hpp>
#include <dszero/lint/tree_walk.hpp>
#include <dszero/text/edit.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dszero {

struct Resolved {
    std::string text;
    std::vector<std::string> filled;  ///< "optimizer.params.lr: 5e-05"
    std::vector<std::string>
        left;  ///< an "auto" that the Trainer leaves; what DeepSpeed makes of it is in check
    std::vector<std::string>
        problems;  ///< a fact that is missing, or that the document contradicts: the Trainer stops

    bool complete() const { return problems.empty(); }
};

/// `document` was read from text. What is written beside the facts that are given must agree with them.
Resolved resolve(const Document& document, const TrainerFacts& facts);

// ---- the parts

/// One field that the Trainer fills in.
struct TrainerField {
    std::string_view path;  ///< "optimizer.params.lr"
    std::string_view fact;  ///< what it follows from, for messages
    std::optional<Json> value;
    bool must_match = false;  ///< a value in the document that is another one stops the Trainer

    std::string pointer() const {
        std::string pointer = '/' + std::string(path);
        std::replace(pointer.begin(), pointer.end(), '.', '/');
        return pointer;
    }
};

/// Everything that it fills in. `stage_3`: of the document.
inline std::vector<TrainerField> trainer_fields(const TrainerFacts& f, bool stage_3) {
    const std::int64_t micro = f.per_device_train_batch_size.value_or(8);
    const std::int64_t accumulation = f.gradient_accumulation_steps.value_or(1);
    const Json lr = json_float(f.learning_rate.value_or(5e-5));
    Json betas = json_array();
    for (const double beta : {f.adam_beta1.value_or(0.9), f.adam_beta2.value_or(0.999)})
        betas.get_ptr<Json::array_t*>()->push_back(json_float(beta));
    std::optional<Json> steps, warmup, bucket, prefetch, persistence;
    if (f.num_training_steps) steps = json_integer(*f.num_training_steps);
    const double warmup_steps = f.warmup_steps.value_or(0);
    if (warmup_steps >= 1 || f.num_training_steps) {
        const double rounded = warmup_steps >= 1
                                   ? std::trunc(warmup_steps)
                                   : std::ceil(static_cast<double>(*f.num_training_steps) * warmup_steps);
        warmup = json_integer(std::max<std::int64_t>(1, static_cast<std::int64_t>(rounded)));
    }
    if (f.hidden_size) {
        const double h = static_cast<double>(*f.hidden_size);
        bucket = json_integer(*f.hidden_size * *f.hidden_size);
        prefetch = json_integer(static_cast<std::int64_t>(0.9 * h * h));
        persistence = json_integer(10 * *f.hidden_size);
    }
    std::vector<TrainerField> fields = {
        {"train_micro_batch_size_per_gpu", "per_device_train_batch_size", json_integer(micro),
         f.per_device_train_batch_size.has_value()},
        {"gradient_accumulation_steps", "gradient_accumulation_steps", json_integer(accumulation),
         f.gradient_accumulation_steps.has_value()},
        {"train_batch_size", "world size, batch and accumulation",
         json_integer(f.world_size * micro * accumulation),
         f.per_device_train_batch_size && f.gradient_accumulation_steps},
        {"gradient_clipping", "max_grad_norm", json_float(f.max_grad_norm.value_or(1)),
         f.max_grad_norm.has_value()},
        {"optimizer.params.lr", "learning_rate", lr, f.learning_rate.has_value()},
        {"optimizer.params.betas", "adam_beta1 and adam_beta2", betas, f.adam_beta1 && f.adam_beta2},
        {"optimizer.params.eps", "adam_epsilon", json_float(f.adam_epsilon.value_or(1e-8)),
         f.adam_epsilon.has_value()},
        {"optimizer.params.weight_decay", "weight_decay", json_float(f.weight_decay.value_or(0)),
         f.weight_decay.has_value()},
        {"scheduler.params.warmup_min_lr", "", json_integer(0)},
        {"scheduler.params.warmup_max_lr", "learning_rate", lr, f.learning_rate.has_value()},
        {"fp16.enabled", "fp16", json_boolean(f.fp16.value_or(false)), f.fp16.has_value()},
        {"bf16.enabled", "bf16", json_boolean(f.bf16.value_or(false)), f.bf16.has_value()},
        {"zero_optimization.reduce_bucket_size", "hidden_size", bucket},
        {"scheduler.params.total_num_steps", "num_training_steps", steps, true},
        {"scheduler.params.warmup_num_steps",
         warmup && f.warmup_steps ? "warmup_steps" : "num_training_steps", warmup,
         f.warmup_steps.has_value()},
    };
    if (stage_3) {
        fields.push_back({"zero_optimization.stage3_prefetch_bucket_size", "hidden_size", prefetch});
        fields.push_back(
            {"zero_optimization.stage3_param_persistence_threshold", "hidden_size", persistence});
    }
    return fields;
}

/// Equal as Python has it: 1, 1.0 and true are.
inline bool python_equal(const Json& a, const Json& b) {
    const auto as_number = [](const Json& json) {
        return json.is_boolean() ? static_cast<double>(boolean_in(json)) : json.get<double>();
    };
    const auto is_number = [](const Json& json) { return json.is_number() || json.is_boolean(); };
    if (is_number(a) && is_number(b)) return as_number(a) == as_number(b);
    if (!a.is_array() || !b.is_array()) return a == b;
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), python_equal);
}

/// Where "auto" stands, by dotted paths; elements of lists are not looked into, as the Trainer does not.
inline void find_autos(const TreeWalk& walk, const Value& object, const std::string& path,
                       std::vector<std::pair<std::string, Value>>& autos) {
    for (const Member& member : walk.members_of(object)) {
        const std::string here =
            path.empty() ? std::string(member.key) : path + '.' + std::string(member.key);
        if (is_word(*member.value.json, "auto")) autos.emplace_back(here, member.value);
        if (member.value.json->is_object()) find_autos(walk, member.value, here, autos);
    }
}

inline Resolved resolve(const Document& document, const TrainerFacts& facts) {
    Resolved result;
    if (document.tree.nodes.empty() || !document.tree.value.is_object()) {
        result.text = document.source.text;
        result.problems.push_back("the document cannot be read");
        return result;
    }
    const TreeWalk walk(document);
    const Value stage = walk.find("/zero_optimization/stage");
    const bool stage_3 = stage.json && python_equal(*stage.json, json_integer(3));
    const std::vector<TrainerField> fields = trainer_fields(facts, stage_3);
    std::vector<std::pair<std::string, Value>> autos;
    find_autos(walk, walk.root(), {}, autos);
    Edits edits;
    for (const auto& [path, value] : autos) {
        const auto named = [&, &name = path, node = value.node](const TrainerField& field) {
            if (field.path != name) return false;
            const Value found = walk.find(field.pointer());  // a key with dots in it only looks like a path
            return found.json && found.node == node;
        };
        const auto field = std::find_if(fields.begin(), fields.end(), named);
        if (field == fields.end()) {
            result.left.push_back(path);
        } else if (!field->value) {
            result.problems.push_back(path + " needs " + std::string(field->fact));
        } else {
            edits.push_back({document.tree.nodes[value.node].value, write_json(*field->value)});
            result.filled.push_back(path + ": " + edits.back().text);
        }
    }
    for (const TrainerField& field : fields) {
        const Value value = walk.find(field.pointer());
        if (!field.must_match || !field.value || !value.json || value.json->is_null() ||
            is_word(*value.json, "auto") || python_equal(*value.json, *field.value))
            continue;
        result.problems.push_back(std::string(field.path) + " is " + write_json(*value.json) + ", but " +
                                  std::string(field.fact) + " makes it " + write_json(*field.value));
    }
    result.text = apply_edits(document.source.text, std::move(edits));
    return result;
}

}  // namespace dszero
