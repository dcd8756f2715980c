// SPDX-License-Identifier: MIT
//
// What DeepSpeed only warns of in a document, unless the check itself fails.
// Source: _do_warning_check in deepspeed/runtime/config.py.
#pragma once

#include <dszero/config/batch.hpp>
#include <dszero/config/rows/deepspeed_config.hpp>
#include <dszero/config/section.hpp>

#include <string>
#include <string_view>

namespace dszero {

/// Python's `text % 8` works where the text has one place to put the number.
inline bool formats_one_number(std::string_view text) {
    int places = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') continue;
        i = text.find_first_not_of("#0- +123456789.lhL", i + 1);
        if (i == std::string_view::npos) return false;
        if (text[i] == '%') continue;
        if (std::string_view("diouxXeEfFgGcrsa").find(text[i]) == std::string_view::npos) return false;
        ++places;
    }
    return places == 1;
}

inline void vocabulary_size_is_aligned(Checking& c) {
    const Given& given = c.field("vocabulary_size");
    if (!given.present || !is_truthy(*given.value.json)) return;
    const Json& json = *given.value.json;
    const bool formats = json.is_string() && formats_one_number(string_in(json));
    if (!json.is_boolean() && !json.is_number() && !formats) {
        c.reading.check = "warning_check";
        c.reading.error("wrong-type", Path{.key = given.key}, c.reading.value_span(given.value),
                        "vocabulary_size must be a number, got " + c.reading.shown(given.value));
        return;
    }
    bool aligned = false;
    const BatchTerm size = batch_term(json, c.reading.spelling(given.value));
    if (size.kind == BatchTerm::number)
        if (const auto eighth = floor_divide(size.value, ExactNumber(8)))
            if (const auto whole = multiply(*eighth, ExactNumber(8))) aligned = equal(*whole, size.value);
    if (aligned) return;
    c.log("vocabulary_size_not_aligned");
    c.reading.report(
        Severity::warning, "vocabulary-size", "/vocabulary_size", c.reading.value_span(given.value),
        "vocabulary_size " + c.reading.shown(given.value) + " is no multiple of 8: tensor cores want one");
}

inline void max_grad_norm_belongs_to_the_document(Checking& c) {
    auto& config = c.object<DeepSpeedConfig>();
    const Given& optimizer = c.field("optimizer");
    if (!optimizer.taken() || !config.optimizer.type) return;
    const Members members = c.reading.members_of(optimizer.value);
    const Member* params = find_member(members, "params");
    if (!params || params->value.json->is_null()) return;
    const Path above{.key = "optimizer"}, inside{.parent = &above, .key = "params"};
    c.reading.check = "warning_check";
    if (!params->value.json->is_object()) {
        c.reading.error("wrong-type", inside, c.reading.value_span(params->value),
                        "params must be an object, got " + c.reading.shown(params->value));
        return;
    }
    const Members inner = c.reading.members_of(params->value);
    const Member* norm = find_member(inner, "max_grad_norm");
    if (!norm) return;
    const Path path{.parent = &inside, .key = "max_grad_norm"};
    const Json& json = *norm->value.json;
    if (!json.is_boolean() && !json.is_number()) {
        c.reading.error("wrong-type", path, c.reading.value_span(norm->value),
                        "max_grad_norm must be a number, got " + c.reading.shown(norm->value));
        return;
    }
    const bool positive = json.is_boolean() ? boolean_in(json) : python_number(json, {}).real > 0;
    if (!positive) return;
    const Release release = c.reading.behaviour.release;
    const bool set_to_zero = release < Release("0.19.6") && !config.float16_config.enabled;
    if (set_to_zero)
        for (auto& [key, value] : *config.optimizer.params.get_ptr<Json::object_t*>())
            if (key == "max_grad_norm") value = json_float(0.0);
    if (release >= Release("0.19.6")) c.log("max_grad_norm_in_optimizer");
    c.reading.report(Severity::warning, "max-grad-norm", path.pointer(), c.reading.key_span(norm->value),
                     std::string(set_to_zero ? "max_grad_norm is set to 0 here"
                                             : "max_grad_norm is no parameter of an optimizer") +
                         ": deepspeed.initialize stops with a ValueError",
                     "write gradient_clipping at the top level of the document");
}

}  // namespace dszero
