// SPDX-License-Identifier: MIT
//
// What is trained: named parameters with shapes, the modules that use them, the
// optimizer's groups, and where initial values come from. A description only:
// it holds no weight, so a model that fits nowhere can be described anywhere.
//
//     dszero::Layout layout;
//     const auto w = layout.add_parameter("embed.weight", {vocabulary, width});
//     const auto embed = layout.add_module("embed", {w});
//     const auto head = layout.add_module("head", {w});  // listed twice: shared
//     layout.init = [](std::size_t parameter, std::size_t offset, std::span<float> values) { … };
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <initializer_list>
#include <limits>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace dszero {

struct Parameter {
    std::string name;
    std::vector<std::size_t> shape;  ///< row-major; empty: one number
    bool frozen = false;             ///< used, but neither differentiated nor stepped
    std::size_t elements = 0;        ///< the shape's product
};

/// Parameters that are used together: gathered by one call, their gradients lent by one.
struct Module {
    std::string name;
    std::vector<std::size_t> parameters;  ///< indices into Layout::parameters
};

/// Names a module. A trainer's layer may derive from it, and then be passed itself: engine.gather(layer).
struct ModuleId {
    std::size_t module = 0;
};

/// Trainable parameters with settings of their own; what is not set is the configuration's.
struct ParameterGroup {
    std::vector<std::size_t> parameters;
    std::optional<double> lr{};
    std::optional<double> weight_decay{};
};

/// Writes the initial values of `parameter` from element `offset` on. Called piecewise, from every rank's
/// thread: it must give the same values on each, and touch nothing else.
using InitialValues = std::function<void(std::size_t parameter, std::size_t offset, std::span<float> values)>;

struct Layout {
    std::vector<Parameter> parameters;  ///< in registration order, which decides who owns what
    std::vector<Module> modules;
    std::vector<ParameterGroup> groups;  ///< empty: one group of all trainable parameters, in order
    InitialValues init;                  ///< empty: all zero

    std::size_t add_parameter(std::string name, std::vector<std::size_t> shape, bool frozen = false) {
        Parameter parameter{std::move(name), std::move(shape), frozen, 1};
        if (std::ranges::find(parameter.shape, std::size_t{0}) != parameter.shape.end())
            parameter.elements = 0;
        for (const std::size_t extent : parameter.shape) {
            // counts and byte counts must fit what a file offset or a span can say
            if (extent != 0 && parameter.elements > std::numeric_limits<std::size_t>::max() / 64 / extent)
                throw std::invalid_argument("parameter " + parameter.name +
                                            " has more elements than memory can");
            parameter.elements *= extent;
        }
        parameters.push_back(std::move(parameter));
        return parameters.size() - 1;
    }
    ModuleId add_module(std::string name, std::vector<std::size_t> of_parameters) {
        modules.push_back({std::move(name), std::move(of_parameters)});
        return {modules.size() - 1};
    }
    void add_group(std::vector<std::size_t> of_parameters, std::optional<double> lr = {},
                   std::optional<double> weight_decay = {}) {
        groups.push_back({std::move(of_parameters), lr, weight_decay});
    }
};

/// The optimizer's groups: as given, or the one that stands for none; frozen parameters left out, as
/// DeepSpeed leaves them out.
inline std::vector<ParameterGroup> optimizer_groups(const Layout& layout) {
    std::vector<ParameterGroup> groups = layout.groups;
    if (groups.empty()) {
        groups.emplace_back();
        for (std::size_t p = 0; p < layout.parameters.size(); ++p) groups[0].parameters.push_back(p);
    }
    for (ParameterGroup& group : groups)
        std::erase_if(group.parameters, [&](std::size_t p) { return layout.parameters[p].frozen; });
    return groups;
}

inline std::size_t trainable_elements(const Layout& layout) {
    std::size_t elements = 0;
    for (const Parameter& parameter : layout.parameters)
        if (!parameter.frozen) elements += parameter.elements;
    return elements;
}

/// Throws std::out_of_range.
inline const Module& module_of(const Layout& layout, ModuleId id) {
    if (id.module >= layout.modules.size())
        throw std::out_of_range("there is no module " + std::to_string(id.module) + ": the layout has " +
                                std::to_string(layout.modules.size()));
    return layout.modules[id.module];
}

/// How many modules use each parameter: above one, it is shared.
inline std::vector<std::size_t> count_uses(const Layout& layout) {
    std::vector<std::size_t> uses(layout.parameters.size());
    for (const Module& module : layout.modules)
        for (const std::size_t p : module.parameters) ++uses[p];
    return uses;
}

/// Throws std::invalid_argument, with every problem, if the layout contradicts itself.
inline void check_layout(const Layout& layout) {
    std::string problems;
    const auto report = [&](const std::string& problem) {
        problems += (problems.empty() ? "" : "; ") + problem;
    };
    std::set<std::string> names;
    for (const Parameter& parameter : layout.parameters)
        if (!names.insert(parameter.name).second) report("two parameters are named " + parameter.name);
    const auto exist = [&](const std::vector<std::size_t>& list, const std::string& owner) {
        std::set<std::size_t> seen;
        for (const std::size_t p : list) {
            if (p >= layout.parameters.size())
                report(owner + " lists parameter " + std::to_string(p) + ", which does not exist");
            else if (!seen.insert(p).second)
                report(owner + " lists " + layout.parameters[p].name + " twice");
        }
    };
    for (const Module& module : layout.modules) exist(module.parameters, "module " + module.name);
    for (std::size_t g = 0; g < layout.groups.size(); ++g)
        exist(layout.groups[g].parameters, "optimizer group " + std::to_string(g));
    if (!problems.empty()) throw std::invalid_argument("layout: " + problems);

    const std::vector<std::size_t> uses = count_uses(layout);
    std::vector<std::size_t> in_groups(layout.parameters.size());
    for (const ParameterGroup& group : optimizer_groups(layout))
        for (const std::size_t p : group.parameters) ++in_groups[p];
    for (std::size_t p = 0; p < layout.parameters.size(); ++p) {
        const Parameter& parameter = layout.parameters[p];
        if (uses[p] == 0) report("no module uses " + parameter.name);
        if (in_groups[p] > 1) report(parameter.name + " is in more than one optimizer group");
        if (in_groups[p] == 0 && !parameter.frozen)
            report(parameter.name + " is in no optimizer group: freeze it, or add it to one");
    }
    if (!problems.empty()) throw std::invalid_argument("layout: " + problems);
}

/// The layout, once it is checked.
inline const Layout& checked(const Layout& layout) {
    check_layout(layout);
    return layout;
}

}  // namespace dszero
