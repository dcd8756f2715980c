// SPDX-License-Identifier: MIT
//
// Puts a Tree together while a dialect reads, and finds repeated keys.
// What a container holds waits on one stack until the container closes; only then,
// with the number of children known, do they become nlohmann's values, in place.
// So no object ever grows (nlohmann's would copy every key, and compare it with
// all others at each insertion), and hardly a value is ever moved.
#pragma once

#include <dszero/text/number.hpp>
#include <dszero/text/rough_hash.hpp>
#include <dszero/text/small_vector.hpp>
#include <dszero/text/source.hpp>
#include <dszero/text/tree.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

namespace dszero {

/// A key as it was read. The name is unescaped and stays valid as long as the reader.
struct Key {
    std::string_view name;
    Span span;
};

/// A key that its object had already.
struct Repetition {
    Span first;
    Span again;
};
using Repetitions = SmallVector<Repetition, 1>;

class TreeBuilder {
public:
    /// A container that is being read.
    struct Open {
        std::uint32_t node;
        std::size_t first_child;
        std::size_t first_container;
    };

    TreeBuilder(std::size_t text_size, bool repeated_keys_refused)
        : repeated_keys_refused_(repeated_keys_refused) {
        nodes_.reserve(text_size / 24 + 4);  // real documents have a node for every 25 to 40 bytes
        containers_.reserve(8);
    }

    void add_null(const Key& key, Span span) { add(key, span, Type::null); }
    void add_boolean(const Key& key, Span span, bool yes) { add(key, span, Type::boolean).boolean = yes; }
    void add_string(const Key& key, Span span, std::string_view text) {
        add(key, span, Type::string).text = text;
    }
    void add_number(const Key& key, Span span, const Number& number) {
        switch (number.kind) {
            case Number::natural: add(key, span, Type::number_unsigned).natural = number.magnitude; break;
            case Number::negative:
                add(key, span, Type::number_integer).natural = ~number.magnitude + 1;
                break;
            case Number::real: add(key, span, Type::number_float).real = number.value; break;
        }
    }

    Open open(const Key& key, std::uint32_t begin) {
        nodes_.push_back({key.span, {begin, begin}, 0});
        return {static_cast<std::uint32_t>(nodes_.size() - 1), waiting_.size(), containers_.size()};
    }

    void close_array(const Key& key, Open array, std::uint32_t end) {
        Json value(Type::array);
        auto& elements = *value.get_ptr<Json::array_t*>();
        elements.reserve(waiting_.size() - array.first_child);
        for (std::size_t i = array.first_child; i < waiting_.size(); ++i) {
            elements.emplace_back(waiting_[i].initial_type());
            fill(elements.back(), waiting_[i]);
        }
        close(key, array, end, std::move(value));
    }

    void close_object(const Key& key, Open object, std::uint32_t end) {
        find_repeated_keys(object.first_child);
        Json value(Type::object);
        Json::object_t::Container& members = *value.get_ptr<Json::object_t*>();  // to append without a search
        members.reserve(waiting_.size() - object.first_child);
        for (std::size_t i = object.first_child; i < waiting_.size(); ++i) {
            if (waiting_[i].dropped) continue;
            members.emplace_back(waiting_[i].name, waiting_[i].initial_type());
            fill(members.back().second, waiting_[i]);
        }
        close(key, object, end, std::move(value));
    }

    std::uint32_t end_of_last_value() const { return nodes_[waiting_.back().node].value.end; }
    bool root_is_string() const { return waiting_[0].type == Type::string; }

    /// So far; a container that is still open has an empty span.
    const Nodes& nodes() const { return nodes_; }

    /// In objects closed so far: DeepSpeed looks when an object closes, too.
    const Repetitions& repetitions() const { return repetitions_; }
    bool refuses_repeated_keys() const { return repeated_keys_refused_ && !repetitions_.empty(); }

    /// Forgets everything: another reading is tried.
    void restart() {
        nodes_.truncate(0);
        waiting_.truncate(0);
        containers_.clear();
        repetitions_.truncate(0);
        dropped_nodes_.truncate(0);
    }

    /// The root was added or closed.
    void finish(Tree& tree) {
        if (!dropped_nodes_.empty()) remove_dropped_nodes();
        tree.value = Json(waiting_[0].initial_type());
        fill(tree.value, waiting_[0]);
        tree.nodes = std::move(nodes_);
    }

private:
    using Json = nlohmann::ordered_json;
    using Type = Json::value_t;
    using Indices = SmallVector<std::uint32_t, 16>;

    /// A value whose container is still open.
    struct Waiting {
        std::string_view name;
        std::string_view text;
        union {
            std::uint64_t natural = 0;  // for a container its place in containers_
            double real;
            bool boolean;
        };
        std::uint32_t node = 0;
        Type type = Type::null;
        bool dropped = false;  // a later member has the same key

        bool is_container() const { return type == Type::object || type == Type::array; }
        Type initial_type() const { return is_container() ? Type::null : type; }  // containers are swapped in
    };

    Waiting& add(const Key& key, Span span, Type type) {
        const auto node = static_cast<std::uint32_t>(nodes_.size());
        nodes_.push_back({key.span, span, node + 1});
        Waiting& added = waiting_.push_back({});
        added.name = key.name;
        added.node = node;
        added.type = type;
        return added;
    }

    /// `value` was made with the initial type of `from`.
    void fill(Json& value, const Waiting& from) {
        switch (from.type) {
            case Type::string:
                value.get_ptr<Json::string_t*>()->assign(from.text.data(), from.text.size());
                break;
            case Type::boolean: *value.get_ptr<Json::boolean_t*>() = from.boolean; break;
            case Type::number_unsigned: *value.get_ptr<Json::number_unsigned_t*>() = from.natural; break;
            case Type::number_integer:
                *value.get_ptr<Json::number_integer_t*>() = static_cast<std::int64_t>(from.natural);
                break;
            case Type::number_float: *value.get_ptr<Json::number_float_t*>() = from.real; break;
            case Type::object:
            case Type::array: value.swap(containers_[from.natural]); break;
            default: break;
        }
    }

    void close(const Key& key, Open container, std::uint32_t end, Json&& value) {
        Node& node = nodes_[container.node];
        node.value.end = end;
        node.end = static_cast<std::uint32_t>(nodes_.size());
        while (containers_.size() > container.first_container) containers_.pop_back();
        waiting_.truncate(container.first_child);
        Waiting& closed = waiting_.push_back({});
        closed.name = key.name;
        closed.node = container.node;
        closed.type = value.type();
        closed.natural = containers_.size();
        containers_.push_back(std::move(value));
    }

    void find_repeated_keys(std::size_t begin) {
        constexpr std::size_t few = 100;  // more are not compared with one another: that is quadratic
        if (waiting_.size() - begin > few) return find_repeated_keys_by_sorting(begin);
        RoughKeys seen;  // most keys need no comparison at all
        for (std::size_t i = begin; i < waiting_.size(); ++i) {
            if (seen.may_have(waiting_[i].name)) compare_with_earlier(begin, i);
            seen.add(waiting_[i].name);
        }
    }

    void compare_with_earlier(std::size_t begin, std::size_t again) {
        const std::string_view name = waiting_[again].name;
        std::size_t first = begin;
        while (waiting_[first].name != name) ++first;  // at the latest itself
        if (first == again) return;
        std::size_t previous = again - 1;
        while (waiting_[previous].name != name) --previous;
        repeated(first, previous, again);
    }

    /// There is no hash function here that a hostile text could defeat.
    void find_repeated_keys_by_sorting(std::size_t begin) {
        struct Named {
            std::string_view name;
            std::size_t index;
        };
        SmallVector<Named, 1> names;
        names.reserve(waiting_.size() - begin);
        for (std::size_t i = begin; i < waiting_.size(); ++i) names.push_back({waiting_[i].name, i});
        std::qsort(names.data(), names.size(), sizeof(Named), [](const void* left, const void* right) {
            const Named& a = *static_cast<const Named*>(left);
            const Named& b = *static_cast<const Named*>(right);
            const int compared = a.name.compare(b.name);
            return compared != 0 ? compared : a.index < b.index ? -1 : 1;
        });
        std::size_t first = 0;
        for (std::size_t i = 1; i < names.size(); ++i) {
            if (names[i].name == names[first].name) {
                repeated(names[first].index, names[i - 1].index, names[i].index);
            } else {
                first = i;
            }
        }
    }

    void repeated(std::size_t first, std::size_t previous, std::size_t again) {
        repetitions_.push_back({nodes_[waiting_[first].node].key, nodes_[waiting_[again].node].key});
        waiting_[previous].dropped = true;
        dropped_nodes_.push_back(waiting_[previous].node);
    }

    void remove_dropped_nodes() {
        Indices gone;
        Indices new_index;
        for (std::size_t i = 0; i <= nodes_.size(); ++i) gone.push_back(0), new_index.push_back(0);
        for (const std::uint32_t node : dropped_nodes_) gone[node] = 1;
        std::uint32_t kept = 0;
        std::uint32_t gone_until = 0;
        for (std::uint32_t i = 0; i < nodes_.size(); ++i) {
            new_index[i] = kept;
            if (gone[i] != 0) gone_until = std::max(gone_until, nodes_[i].end);
            if (i >= gone_until) ++kept;
        }
        new_index[nodes_.size()] = kept;
        for (std::size_t i = 0; i < nodes_.size(); ++i)
            if (new_index[i] != new_index[i + 1])
                nodes_[new_index[i]] = {nodes_[i].key, nodes_[i].value, new_index[nodes_[i].end]};
        nodes_.truncate(kept);
    }

    bool repeated_keys_refused_;
    Nodes nodes_;
    SmallVector<Waiting, 20> waiting_;
    std::vector<Json> containers_;  // those among the waiting
    Repetitions repetitions_;
    Indices dropped_nodes_;
};

}  // namespace dszero
