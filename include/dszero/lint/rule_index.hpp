// SPDX-License-Identifier: MIT
//
// Which rules a document needs. Most look at a few keys, and few of those are written,
// so the keys that are written choose the rules.
#pragma once

#include <dszero/config/release.hpp>
#include <dszero/lint/linting.hpp>
#include <dszero/lint/rule.hpp>
#include <dszero/text/rough_hash.hpp>
#include <dszero/text/words.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace dszero {

class RuleIndex {
public:
    constexpr explicit RuleIndex(std::span<const std::span<const Rule>> groups) {
        for (const std::span<const Rule> group : groups)
            for (const Rule& rule : group) add(rule);
    }

    /// Runs the rules that may find something, in the order in which they were given.
    void run(Linting& linting) const {
        Rules due = always_;
        for (const Member& member : linting.members())
            if (const std::size_t place = find(member.key); place != none)
                for (std::size_t word = 0; word < words; ++word) due[word] |= sought_[place].by[word];
        for (std::size_t word = 0; word < words; ++word)
            for (std::uint64_t left = due[word]; left != 0; left &= left - 1) {
                const Rule& rule = *rules_[word * 64 + static_cast<std::size_t>(std::countr_zero(left))];
                if (rule.applies_to(linting.release())) linting.run(rule);
            }
    }

private:
    static constexpr std::size_t words = 2, none = 255;
    using Rules = std::array<std::uint64_t, words>;  // a bit for each
    struct Sought {
        std::string_view key;
        Rules by{};
        unsigned char next = none;  // of the same hash
    };

    constexpr std::size_t find(std::string_view key) const {
        std::size_t place = first_[rough_hash(key)];
        while (place != none && sought_[place].key != key) place = sought_[place].next;
        return place;
    }
    constexpr void add(const Rule& rule) {
        rules_.at(rule_count_) = &rule;
        const std::size_t word = rule_count_ / 64;
        const std::uint64_t bit = std::uint64_t{1} << rule_count_++ % 64;
        if (rule.keys.empty()) always_[word] |= bit;
        for_each_word(rule.keys, [&](std::string_view key) {
            std::size_t place = find(key);
            if (place == none) {
                place = key_count_++;
                unsigned char& first = first_[rough_hash(key)];
                sought_.at(place) = {key, {}, first};
                first = static_cast<unsigned char>(place);
            }
            sought_[place].by[word] |= bit;
        });
    }

    std::array<const Rule*, words * 64> rules_{};
    std::array<Sought, 100> sought_{};
    std::size_t rule_count_ = 0, key_count_ = 0;
    Rules always_{};
    std::array<unsigned char, 256> first_ = [] {
        std::array<unsigned char, 256> empty{};
        for (unsigned char& place : empty) place = none;
        return empty;
    }();
};

}  // namespace dszero
