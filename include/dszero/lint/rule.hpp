// SPDX-License-Identifier: MIT
//
// One rule: a code, one function, and everything that is to be said about it.
// A rule speaks of documents that DeepSpeed accepts: what it ignores, alters, or
// fails at later. So a finding is a warning or a note, never an error.
#pragma once

#include <dszero/config/circumstances.hpp>
#include <dszero/config/field.hpp>
#include <dszero/config/release.hpp>
#include <dszero/text/diagnostic.hpp>

#include <cstdint>
#include <string_view>

namespace dszero {

class Linting;  // what a rule sees, and says things through: linting.hpp

/// What is known of the model; 0: nothing. Counts are of elements, over the whole model.
struct ModelFacts {
    std::int64_t parameters = 0;
    std::int64_t largest_parameter = 0;

    bool operator==(const ModelFacts&) const = default;
};

/// Where a document is to run, as far as rules ask for it.
struct Surroundings {
    std::int64_t world_size = 1;
    Accelerator accelerator = Accelerator::cuda;
    Caller caller = Caller::deepspeed;
    std::int64_t gpus_per_node = 0;  ///< 0: unknown
    ModelFacts model{};
};

/// A document for a rule's documentation.
struct Example {
    std::string_view text;
    Surroundings around{};
    Release release = newest_release;
};

struct alignas(64) Rule {     // so that what running it takes lies on one cache line
    std::string_view code;    ///< stable, kebab-case: "nvme-below-stage-3"
    std::string_view title;   ///< a line
    std::string_view what;    ///< what happens, and why: a sentence or two
    std::string_view source;  ///< where DeepSpeed does it: "runtime/zero/stage3.py"
    void (*run)(Linting&) = nullptr;
    std::string_view keys{};  ///< it finds nothing where none of these is written; blanks between; empty: all
    Severity severity = Severity::warning;  ///< some of its findings may be milder
    Release since = oldest_release;
    Release until = still_there;  ///< the first release that it is not true of
    Example bad;                  ///< triggers exactly one finding, this one
    Example good;                 ///< triggers none

    constexpr bool applies_to(Release release) const { return since <= release && release < until; }
};

}  // namespace dszero
