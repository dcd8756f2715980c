// SPDX-License-Identifier: MIT
//
// The configuration that is really in effect: every field, its value, and where
// the value comes from.
#pragma once

#include <dszero/config/document.hpp>
#include <dszero/config/judge.hpp>
#include <dszero/config/section.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dszero {

enum class OriginKind : unsigned char {
    file,            ///< written in the document
    default_value,   ///< the release's default
    derived,         ///< worked out from other fields
    deprecated_key,  ///< moved here from a deprecated key of the document
};

inline const char* to_string(OriginKind kind) {
    constexpr const char* names[] = {"file", "default", "derived", "deprecated_key"};
    return names[static_cast<unsigned char>(kind)];
}

struct EffectiveField {
    std::string name;       ///< DeepSpeed's attribute
    std::string path;       ///< the attribute below zero_optimization: offload_param.device
    std::size_t depth = 0;  ///< 0: of zero_optimization; 1: of a section in it, which stands before
    Json value;             ///< as in DeepSpeed's object
    std::string shown;      ///< for people: 500,000,000; sys.maxsize
    OriginKind origin = OriginKind::default_value;
    std::string key;  ///< the key that gave it, for file and deprecated_key
    Range range;      ///< where that key stands
    bool is_section = false;
};

/// Every field of zero_optimization that the document's release has, nested ones behind their section.
/// Throws ConfigError if the document was refused.
std::vector<EffectiveField> effective_fields(const Document& document);

/// The same for all of the document but zero_optimization.
std::vector<EffectiveField> effective_document_fields(const Document& document);

/// 500,000,000: as DeepSpeed's pp_int prints it.
inline std::string with_separators(std::int64_t number) {
    std::string digits = std::to_string(number);
    const std::size_t sign = number < 0 ? 1 : 0;
    for (std::size_t at = digits.size(); at > sign + 3;) digits.insert(at -= 3, 1, ',');
    return digits;
}

/// Walks a section's rows beside what the document holds for it.
class EffectiveWalk {
public:
    explicit EffectiveWalk(const Document& document)
        : reading_(document.release, document.source, &document.tree), writing_{document.release, true} {}

    /// `presets`: an object with the defaults, or null; `members`: of the section as written;
    /// `owner`: the field that holds the section, or null.
    void add(const Section& section, const void* object, const void* presets, const Members& members,
             const EffectiveField* owner = nullptr) {
        for (const Row& row : section.rows) {
            if (!row.known_to(writing_.release) || &row == left_out_) continue;
            const void* member = section.member(object, row);
            EffectiveField field;
            field.value = row.type->write(member, writing_);
            if (field.value.is_discarded()) continue;
            field.name = row.name;
            field.path = owner ? owner->path + '.' + field.name : field.name;
            field.depth = owner ? owner->depth + 1 : 0;
            field.is_section = row.type->section != nullptr;
            const bool is_default =
                presets && row.type->write(section.member(presets, row), writing_) == field.value;
            field.shown = shown(field.value, row, is_default);
            const Member* written = find_origin(field, row, section, members);
            if (owner && owner->origin == OriginKind::deprecated_key && row.name == "device")
                copy_origin(field, *owner);
            const std::size_t at = fields_.size();
            fields_.push_back(std::move(field));
            if (!row.type->section) continue;
            if (const void* nested = row.type->section_in(member)) {
                const EffectiveField holder = fields_[at];
                Members inner;
                if (holder.origin == OriginKind::file) read_mapping(written->value, reading_, inner);
                add(*row.type->section, nested, nullptr, inner, &holder);
            }
        }
    }

    /// The row is passed over.
    void leave_out(const Row& row) { left_out_ = &row; }

    /// For fields that the deprecated boolean form set.
    void set_origins_of_boolean_form(const Member& flag, const Member* allgather_size) {
        for (EffectiveField& field : fields_) {
            const Member* from = field.name == "stage"                   ? &flag
                                 : field.name == "allgather_bucket_size" ? allgather_size
                                                                         : nullptr;
            if (from) set_origin(field, OriginKind::deprecated_key, *from);
        }
    }

    std::vector<EffectiveField> take(std::string_view text) {
        std::vector<std::uint64_t> offsets;
        for (const EffectiveField& field : fields_) {
            offsets.push_back(field.range.begin.offset);
            offsets.push_back(field.range.end.offset);
        }
        const std::vector<Position> places = locate(text, offsets);
        for (std::size_t i = 0; i < fields_.size(); ++i)
            if (!fields_[i].key.empty()) fields_[i].range = {places[2 * i], places[2 * i + 1]};
        return std::move(fields_);
    }

private:
    static std::string shown(const Json& value, const Row& row, bool is_default) {
        if (row.type->section && !value.is_null()) return {};
        if (!value.is_number_integer()) return write_json(value);
        if (is_default && !row.prints_as.empty()) return std::string(row.prints_as);
        return with_separators(python_number(value, {}).integer);
    }

    void set_origin(EffectiveField& field, OriginKind kind, const Member& from) {
        field.origin = kind;
        field.key = from.key;
        field.range = unlocated(reading_.key_span(from.value));
    }
    static void copy_origin(EffectiveField& field, const EffectiveField& from) {
        field.origin = from.origin;
        field.key = from.key;
        field.range = from.range;
    }

    /// The member that gives the field its value, if one does. A dropped "auto" gives none.
    static const Member* find(const Members& members, std::string_view key, bool keep_auto) {
        const Member* member = find_member(members, key);
        return member && (keep_auto || !is_word(*member->value.json, "auto")) ? member : nullptr;
    }
    const Member* find_origin(EffectiveField& field, const Row& row, const Section& section,
                              const Members& members) {
        const bool keep_auto = section.container == Container::dictionary || keeps_auto(members);
        const Member* written = row.is_key ? find(members, row.key(), keep_auto) : nullptr;
        if (!written && row.is_key) written = find(members, row.name, keep_auto);
        if (written && !(written->value.json->is_null() && !row.derived.empty())) {
            set_origin(field, OriginKind::file, *written);
            return written;
        }
        if (!row.derived.empty()) field.origin = OriginKind::derived;
        for (const Row& old_row : section.rows) {
            if (!old_row.moves || old_row.replaced_by != row.name) continue;
            const Member* moved = find(members, old_row.key(), keep_auto);
            if (moved) set_origin(field, OriginKind::deprecated_key, *moved);
            return moved;
        }
        return nullptr;
    }

    Reading reading_;
    Writing writing_;
    const Row* left_out_ = nullptr;
    std::vector<EffectiveField> fields_;
};

inline std::vector<EffectiveField> effective_fields(const Document& document) {
    const DeepSpeedZeroConfig& config = document.value().zero_config;
    const Reading reading(document.release, document.source, &document.tree);
    const Members top = reading.members_of({&document.tree.value, 0});
    const Member* zero = find_member(top, zero_optimization);
    const bool boolean_form = zero && zero->value.json->is_boolean();
    EffectiveWalk walk(document);
    const DeepSpeedZeroConfig presets;
    walk.add(section<DeepSpeedZeroConfig>, &config, &presets,
             zero && !boolean_form ? reading.members_of(zero->value) : Members());
    if (boolean_form)
        walk.set_origins_of_boolean_form(
            *zero, boolean_in(*zero->value.json) ? find_member(top, "allgather_size") : nullptr);
    return walk.take(document.source.text);
}

inline std::vector<EffectiveField> effective_document_fields(const Document& document) {
    const DeepSpeedConfig& config = document.value();
    const Reading reading(document.release, document.source, &document.tree);
    EffectiveWalk walk(document);
    walk.leave_out(*find_row(section<DeepSpeedConfig>, zero_optimization));
    walk.add(section<DeepSpeedConfig>, &config, nullptr, reading.members_of({&document.tree.value, 0}));
    return walk.take(document.source.text);
}

}  // namespace dszero
