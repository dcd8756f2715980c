// SPDX-License-Identifier: MIT
//
// Rows: everything that is known about one field of a section, except its type
// and default, which are the struct's own member declaration.
//
//     field(&C::reduce_bucket_size,
//           {.name = "reduce_bucket_size", .doc = "Elements reduced at once.",
//            .unit = Unit::elements, .above = 0, .before = {.release = "0.19.6", .at_least = 0}})
//
// Reading, writing, checking, suggestions, `dszero show` and the documentation
// all walk the rows; nothing about a field is said twice.
// A Row is plain data, whatever its member's type, so that walking them costs
// one loop at run time and not one template instantiation a field.
#pragma once

#include <dszero/config/key_index.hpp>
#include <dszero/config/release.hpp>
#include <dszero/config/section_of.hpp>
#include <dszero/config/table.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <type_traits>

namespace dszero {

/// What a field's number counts.
enum class Unit : unsigned char { none, elements, bytes };

/// The release from which on a row ends, for one that never ended.
constexpr Release still_there{65535, 0, 0};

/// Numeric bounds. `open` excludes the bound itself.
struct Bounds {
    double low = -std::numeric_limits<double>::infinity();
    double high = std::numeric_limits<double>::infinity();
    bool low_open = false;
    bool high_open = false;
};

struct MemberType;  // how values of a member's type are read and written: member_types.hpp
template <class M>
extern const MemberType member_type;

/// One field, erased.
struct Row {
    // what every walk looks at, close together
    std::string_view name;   ///< DeepSpeed's attribute
    std::string_view alias;  ///< the documented key, where it is another
    const MemberType* type = nullptr;
    const void* on_ruler = nullptr;  ///< the member's place in ruler<T>
    Release since = oldest_release;
    Release until = still_there;  ///< the first release without the field
    bool is_key = true;           ///< false: an attribute that no document can set
    bool is_attribute = true;     ///< false: DeepSpeed keeps no such thing under this name
    bool moves = false;           ///< deprecated: its value is moved to `replaced_by`

    std::string_view doc;          ///< one sentence
    std::string_view prints_as;    ///< the word that DeepSpeed prints for the default (`sys.maxsize`)
    std::string_view derived;      ///< how the value comes about when it is not given; empty: by the default
    std::string_view replaced_by;  ///< deprecated: the field to use instead
    Bounds bounds, bounds_before;  ///< bounds_before: in releases older than `changed`
    void (*assign_before)(void* member, double) = nullptr;  ///< set where the default was another then:
    double default_before = 0;                              ///< this one
    Release changed = oldest_release;
    Unit unit = Unit::none;

    /// The key that documentation and examples use.
    constexpr std::string_view key() const { return alias.empty() ? name : alias; }
    constexpr bool deprecated() const { return !replaced_by.empty(); }
    constexpr bool known_to(Release r) const { return since <= r && r < until; }
    constexpr const Bounds& bounds_in(Release r) const { return r < changed ? bounds_before : bounds; }
};

namespace column {

struct Inapplicable {};  // converts from nothing: a bound on a bool does not compile

/// A number that may be given: std::optional's part that rows need, at a fraction of the compile time.
template <class M>
struct Maybe {
    constexpr Maybe() = default;
    constexpr Maybe(M number) : value(number), given(true) {}
    constexpr explicit operator bool() const { return given; }
    constexpr M operator*() const { return value; }

    M value{};
    bool given = false;
};

template <class M>
struct number {
    using type = Inapplicable;
};
template <class M>
requires(std::same_as<M, std::int64_t> || std::same_as<M, double>) struct number<M> {
    using type = Maybe<M>;
};
template <class M>
using bound = typename number<M>::type;

/// The type of a default that a release can have changed: of a number, or of what holds one.
template <class M>
struct preset {
    using type = Inapplicable;
};
template <class M>
requires(std::is_arithmetic_v<M>) struct preset<M> {
    using number = M;
    using type = Maybe<M>;
};
template <class M>
requires requires { typename M::preset_number; }
struct preset<M> {
    using number = typename M::preset_number;
    using type = Maybe<number>;
};

/// What a field's row was before a release changed it.
template <class M>
struct Before {
    Release release = oldest_release;
    bound<M> at_least{}, at_most{};
    typename preset<M>::type preset{};
};

/// What a row may say about a member of type M.
template <class M>
struct Columns {
    std::string_view name;
    std::string_view alias{};
    std::string_view doc{};
    Unit unit = Unit::none;
    bound<M> at_least{}, above{}, at_most{}, below{};
    std::string_view prints_as{};
    std::string_view derived{};
    Release since = oldest_release;
    Release until = still_there;
    Before<M> before{};
    std::string_view replaced_by{};
    bool moves = false;
    bool is_key = true;
    bool is_attribute = true;
    const MemberType* type = &member_type<M>;  ///< or one of its own
};

}  // namespace column

/// A place to measure members' offsets in; no object is ever made there.
template <class T>
union Ruler {
    char nothing;
    T object;
    constexpr Ruler() : nothing() {}
    ~Ruler() {}
};
template <class T>
inline Ruler<T> ruler;

template <class T, class M>
constexpr Row field(M T::*member, const column::Columns<std::type_identity_t<M>>& c) {
    Row row;
    row.name = c.name;
    row.alias = c.alias;
    row.doc = c.doc;
    row.prints_as = c.prints_as;
    row.derived = c.derived;
    row.replaced_by = c.replaced_by;
    row.type = c.type;
    row.on_ruler = &(ruler<T>.object.*member);
    row.since = c.since;
    row.until = c.until;
    row.changed = c.before.release;
    row.unit = c.unit;
    row.is_key = c.is_key;
    row.is_attribute = c.is_attribute;
    row.moves = c.moves;
    if constexpr (!std::same_as<column::bound<M>, column::Inapplicable>) {
        const auto bounds = [](auto low, auto above, auto high, auto below) {
            Bounds b;
            if (low) b.low = static_cast<double>(*low);
            if (above) b.low = static_cast<double>(*above), b.low_open = true;
            if (high) b.high = static_cast<double>(*high);
            if (below) b.high = static_cast<double>(*below), b.high_open = true;
            return b;
        };
        row.bounds = bounds(c.at_least, c.above, c.at_most, c.below);
        row.bounds_before =
            bounds(c.before.at_least, column::bound<M>{}, c.before.at_most, column::bound<M>{});
    }
    if constexpr (requires { typename column::preset<M>::number; }) {
        if (c.before.preset) {
            row.default_before = static_cast<double>(*c.before.preset);
            row.assign_before = [](void* place, double value) {
                *static_cast<M*>(place) = static_cast<typename column::preset<M>::number>(value);
            };
        }
    }
    return row;
}

class Checking;  // what a check may see and say: section.hpp

/// When DeepSpeed comes to a check.
enum class Phase : unsigned char {
    fields,      ///< while it validates fields, whatever else is wrong
    after,       ///< once every field has passed; the first failure ends it
    deprecated,  ///< after that: deprecated keys, in the rows' order
};

/// What DeepSpeed makes sure of, or works out, across a section's fields.
struct Check {
    std::string_view name;      ///< DeepSpeed's validator, or the deprecated key
    std::string_view sentence;  ///< what it asks for or does, for people
    void (*run)(Checking&) = nullptr;
    Release since = oldest_release;
    Release until = still_there;
    Phase phase = Phase::after;
};

/// A section of the document: its rows and checks. Specialise schema<T> with
/// `rows`, `checks` and, if need be, `container`; its name stands beside T.
template <class T>
struct schema;

/// What else than an object may stand for a section.
enum class Container : unsigned char {
    pydantics_choice,  ///< nothing; before 0.15.0 whatever Python's dict() takes
    its_own,           ///< null is an empty section, all else stops DeepSpeed at once (TypeError)
    dictionary,        ///< nothing; and keys that have no row do nothing, a value may be of any kind
};

struct Section {
    std::string_view name;  ///< DeepSpeed's class
    Table<Row> rows;
    Table<Check> checks;
    const void* ruler;
    const KeyIndex& (*index)();  ///< of names and keys: row i's have the numbers 2i and 2i + 1
    Container container = Container::pydantics_choice;

    /// The member that `row` describes, inside `object` (a T for section<T>).
    void* member(void* object, const Row& row) const { return static_cast<char*>(object) + offset(row); }
    const void* member(const void* object, const Row& row) const {
        return static_cast<const char*>(object) + offset(row);
    }

private:
    std::ptrdiff_t offset(const Row& row) const {
        return static_cast<const char*>(row.on_ruler) - static_cast<const char*>(ruler);
    }
};

template <class T>
const KeyIndex& key_index();

template <class T>
inline constexpr Section section{section_name<T>, schema<T>::rows, schema<T>::checks,
                                 &ruler<T>,       key_index<T>,    schema<T>::container};

inline KeyIndex index_of(const Table<Row>& rows) {
    KeyIndex index;
    for (const Row& row : rows) {
        index.add(row.name);
        index.add(row.key());
    }
    return index;
}
template <class T>
const KeyIndex& key_index() {
    static_assert(2 * std::size(schema<T>::rows) <= KeyIndex::none);
    static const KeyIndex index = index_of(section<T>.rows);
    return index;
}

/// Proof, for use in static_assert: a section has no name or alias twice.
constexpr bool no_name_twice(const Table<Row>& rows) {
    for (std::size_t i = 0; i < rows.size(); ++i)
        for (std::size_t j = i + 1; j < rows.size(); ++j)
            if (rows[i].name == rows[j].name || rows[i].key() == rows[j].key()) return false;
    return true;
}

}  // namespace dszero
