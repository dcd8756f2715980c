// SPDX-License-Identifier: MIT
//
// Keys that older releases read and newer ones refuse by name.
// Source: deepspeed/runtime/config.py, 0.19.7 and 0.19.8.
#pragma once

#include <dszero/config/rows/deepspeed_config.hpp>
#include <dszero/config/section.hpp>
#include <dszero/config/zero_forms.hpp>
#include <dszero/text/rough_hash.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace dszero {

/// A key of the document as written, or null.
inline const Member* find_written(const Checking& c, std::string_view key) {
    return find_member(*c.reading.document, key);
}

struct RemovedKey {
    std::string_view key;  ///< its row says which release is the first without it
    std::string_view instead;
};

/// Those of the top level, in the order in which DeepSpeed looks for them.
inline constexpr RemovedKey removed_keys[] = {
    {"nebula", "remove it; checkpoints are written by torch.save"},
    {"compression_training", "remove it; the compression library is gone"},
    {"amp", "use fp16, bf16 or torch_autocast"},
    {"quantize_training", "remove it; mixture of quantization is gone"},
    {"sparse_gradients", "remove it; nn.Embedding(sparse=True) needs no key"},
    {"eigenvalue", "remove it; mixture of quantization is gone"},
    {"sparse_attention", "remove it; sparse attention is gone"},
    {"elasticity", "give the batch sizes themselves"},
    {"graph_harvesting", "remove it"},
    {"curriculum_learning", "use data_efficiency.data_sampling.curriculum_learning"},
    {"progressive_layer_drop", "remove it"},
};
/// Those of zero_optimization.
inline constexpr RemovedKey removed_zero_keys[] = {
    {"mics_shard_size", "remove it; MiCS is gone"},
    {"mics_hierarchical_params_gather", "remove it; MiCS is gone"},
    {"zeropp_loco_param", "remove it; LoCo is gone"},
};

/// The keys, roughly: a document has nearly always none of them.
template <std::size_t Count>
constexpr RoughKeys roughly(const RemovedKey (&removed)[Count]) {
    RoughKeys keys;
    for (const RemovedKey& each : removed) keys.add(each.key);
    return keys;
}
inline constexpr RoughKeys roughly_removed_zero_keys = roughly(removed_zero_keys);

/// Python's `in`, which DeepSpeed asks whatever the root is: a list may hold such a name, a text contain it.
inline bool names_removed_key(const Json& root, Release release) {
    for (const RemovedKey& removed : removed_keys) {
        if (release < find_row(section<DeepSpeedConfig>, removed.key)->until) continue;
        if (root.is_string() && string_in(root).find(removed.key) != std::string::npos) return true;
        if (const auto* array = root.get_ptr<const Json::array_t*>())
            for (const Json& element : *array)
                if (is_word(element, removed.key)) return true;
    }
    return false;
}

/// Keys that DeepSpeed no longer has, and says so. It names the first of them in this order.
inline void refuse_removed_keys(Checking& c, const Section& section, const Members& members,
                                std::span<const RemovedKey> keys, const Path* above) {
    for (const RemovedKey& removed : keys) {
        const Member* member = find_member(members, removed.key);
        if (!member) continue;
        const Release until = find_row(section, removed.key)->until;
        if (c.reading.behaviour.release < until) continue;
        c.reading.check = "removed_key";
        c.reading.error("removed-key", Path{.parent = above, .key = removed.key},
                        c.reading.key_span(member->value),
                        std::string(removed.key) + " was removed in " + until.str() +
                            "; DeepSpeed refuses a document that has it",
                        std::string(removed.instead));
    }
}
inline void removed_keys_are_gone(Checking& c) {
    refuse_removed_keys(c, section<DeepSpeedConfig>, *c.reading.document, removed_keys, nullptr);
}
inline void removed_zero_keys_are_gone(Checking& c) {
    const Member* zero = find_written(c, zero_optimization);
    const auto* object = zero ? zero->value.json->get_ptr<const Json::object_t*>() : nullptr;
    if (!object || std::none_of(object->begin(), object->end(), [](const auto& member) {
            return roughly_removed_zero_keys.may_have(member.first);
        }))
        return;
    const Path above{.key = zero_optimization};
    refuse_removed_keys(c, section<DeepSpeedZeroConfig>, c.reading.members_of(zero->value), removed_zero_keys,
                        &above);
}

}  // namespace dszero
