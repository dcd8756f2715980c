// SPDX-License-Identifier: MIT
//
// Keys that the newest release refuses. For releases that read them they are kept as they are, and
// judged by their shape. compression_training has a header of its own.
// Source: deepspeed/runtime/config.py up to 0.19.7; deepspeed/elasticity, nebula.
#pragma once

#include <dszero/config/document_sections.hpp>
#include <dszero/config/model_types.hpp>

#include <array>
#include <string>
#include <string_view>

namespace dszero {

/// DeepSpeed looks keys up in it.
inline bool read_removed(void* member, const Value& value, const Row& row, Reading& r, const Path& path) {
    if (!value.json->is_object()) return refuse_shape(row.key(), "an object", value, r, path);
    *static_cast<Json*>(member) = kept(value, r);
    return true;
}
/// And removes `enabled` from it, which therefore has to be there (KeyError).
inline bool read_with_enabled(void* member, const Value& value, const Row& row, Reading& r,
                              const Path& path) {
    if (!read_removed(member, value, row, r, path)) return false;
    if (find_member(r.members_of(value), "enabled")) return true;
    r.check = "shape:" + std::string(row.key());
    r.error("missing-key", path, r.value_span(value), std::string(row.key()) + " must have enabled",
            "write \"enabled\": false");
    return false;
}
inline bool read_sparse_attention(void* member, const Value& value, const Row& row, Reading& r,
                                  const Path& path) {
    if (!read_removed(member, value, row, r, path)) return false;
    const Members members = r.members_of(value);
    const Member* mode = find_member(members, "mode");
    if (!mode) return true;
    for (const std::string_view known : {"dense", "fixed", "variable", "bigbird", "bslongformer"})
        if (is_word(*mode->value.json, known)) return true;
    r.check = "shape:sparse_attention";
    r.error("wrong-value", Path{.parent = &path, .key = "mode"}, r.value_span(mode->value),
            "mode must be dense, fixed, variable, bigbird or bslongformer, got " + r.shown(mode->value));
    return false;
}
inline constexpr MemberType removed_section = {"an object", "{...}", read_removed, write_object};
inline constexpr MemberType section_with_enabled = {"an object", "{...}", read_with_enabled, write_object};
inline constexpr MemberType sparse_attention_type = {"an object", "{...}", read_sparse_attention,
                                                     write_object};

}  // namespace dszero
