// SPDX-License-Identifier: MIT
//
// Rows of leaf_module.hpp: how it is read, checked, written and described.
#pragma once

#include <dszero/config/field.hpp>
#include <dszero/config/leaf_module.hpp>
#include <dszero/config/member_types.hpp>
#include <dszero/config/section.hpp>
#include <dszero/text/source.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace dszero {

/// Drops repetitions, keeping the first. (A sort of hashes: quick for long lists, and cheap to compile.)
inline void drop_repetitions(std::vector<std::string>& list) {
    Offsets order;
    for (const std::string& entry : list) {
        std::uint32_t hash = 2166136261;
        for (const char c : entry) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619;
        order.push_back(hash);
    }
    const Offsets hashes = order;
    order_by_offset(order);
    Offsets again = order;
    for (std::uint64_t& repeated : again) repeated = 0;
    for (std::size_t i = 1; i < order.size(); ++i)
        for (std::size_t j = i; j-- > 0 && hashes[order[j]] == hashes[order[i]] && again[order[i]] == 0;)
            again[order[i]] = list[order[j]] == list[order[i]];
    std::vector<std::string> once;
    for (std::size_t i = 0; i < list.size(); ++i)
        if (again[i] == 0) once.push_back(std::move(list[i]));
    list = std::move(once);
}

inline void validate_entries(Checking& c) {
    auto& config = c.object<DeepSpeedZeroLeafModuleConfig>();
    drop_repetitions(config.classes);
    drop_repetitions(config.names);
    drop_repetitions(config.name_suffixes);
}

template <>
struct schema<DeepSpeedZeroLeafModuleConfig> {
    using C = DeepSpeedZeroLeafModuleConfig;
    static constexpr Container container = Container::its_own;
    static constexpr std::array rows = {
        field(
            &C::classes,
            {.name = "classes", .doc = "Classes of such modules, by name or full path.", .since = "0.18.0"}),
        field(&C::names, {.name = "names", .doc = "Full names of such modules.", .since = "0.18.0"}),
        field(&C::name_suffixes,
              {.name = "name_suffixes", .doc = "Ends of the names of such modules.", .since = "0.18.0"}),
    };
    static constexpr std::array checks = {
        Check{"_validate_entries", "repeated entries count once", validate_entries},
    };
};

template <>
inline constexpr MemberType member_type<DeepSpeedZeroLeafModuleConfig> =
    section_type<DeepSpeedZeroLeafModuleConfig>;

}  // namespace dszero
