// SPDX-License-Identifier: MIT
//
// Which rules a document needs. Most look at a few keys, and few of those are written,
// so the keys that are written choose the rules. Keys are told apart by hash and length
// only: one that is taken for another makes a rule look that finds nothing.
#pragma once

#include <dszero/config/release.hpp>
#include <dszero/lint/linting.hpp>
#include <dszero/lint/rule.hpp>
#include <dszero/text/bit_set.hpp>
#include <dszero/text/rough_hash.hpp>
#include <dszero/text/words.hpp>

#include <array>
#include <cstddef>
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
            if (const std::size_t place = find(member.key); place != none) due |= sought_[place].by;
        due.for_each([&](std::size_t number) {
            const Rule& rule = *rules_[number];
            if (rule.applies_to(linting.release())) linting.run(rule);
        });
    }

private:
    static constexpr std::size_t room = 128, none = 255;
    using Rules = BitSet<room>;
    struct Sought {
        Rules by{};
        unsigned char length = 0;
        unsigned char next = none;  // of the same hash
    };

    constexpr std::size_t find(std::string_view key) const {
        std::size_t place = first_[rough_hash(key)];
        while (place != none && sought_[place].length != key.size()) place = sought_[place].next;
        return place;
    }
    constexpr void add(const Rule& rule) {
        const std::size_t number = rule_count_++;
        rules_.at(number) = &rule;
        if (rule.keys.empty()) always_.add(number);
        for_each_word(rule.keys, [&](std::string_view key) {
            std::size_t place = find(key);
            if (place == none) {
                place = key_count_++;
                unsigned char& first = first_[rough_hash(key)];
                sought_.at(place) = {{}, static_cast<unsigned char>(key.size()), first};
                first = static_cast<unsigned char>(place);
            }
            sought_[place].by.add(number);
        });
    }

    std::array<const Rule*, room> rules_{};
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
