// SPDX-License-Identifier: MIT
//
// What a rule sees of a document, and how it says what it found.
//
//     inline void nvme_below_stage_3(Linting& lint) {
//         if (!lint.at_stage(1, 2) || lint.optimizer_device() != OffloadDeviceEnum::nvme) return;
//         lint.at_value(lint.offload_optimizer["device"], {"…"}, {"…"});
//     }
//
// A rule asks the configuration for values and the parts for places; a key that the
// document does not have is an empty Spot, and what is said at one is said at its section.
#pragma once

#include <dszero/config/document.hpp>
#include <dszero/config/judge.hpp>
#include <dszero/config/reading.hpp>
#include <dszero/config/suggest.hpp>
#include <dszero/lint/rule.hpp>
#include <dszero/lint/tree_walk.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace dszero {

/// A message in pieces.
using Words = std::initializer_list<std::string_view>;

struct Part;

/// A member of an object of the document, or nothing.
struct Spot {
    const Part* part = nullptr;
    const Member* member = nullptr;

    explicit operator bool() const { return member != nullptr; }
    const Json& json() const { return *member->value.json; }
    /// Whether something is written that is not "auto".
    bool is_set() const { return member && !is_word(json(), "auto"); }
    std::string pointer() const;
};

/// An object of the document and its members; empty where the document has none there.
struct Part {
    std::string_view pointer;
    Value value{};  ///< its json is null where there is none
    const Member* first = nullptr;
    const Member* last = nullptr;  ///< behind the last one

    explicit operator bool() const { return value.json != nullptr; }
    const Member* begin() const { return first; }
    const Member* end() const { return last; }
    bool empty() const { return first == last; }
    Spot operator[](std::string_view key) const { return {this, find_member(first, last, key)}; }
};

/// "1.5 GiB"
inline std::string in_gib(double bytes) {
    const auto tenths = static_cast<std::int64_t>(bytes / (1024.0 * 1024 * 1024) * 10 + 0.5);
    std::string out = std::to_string(tenths / 10);
    if (tenths % 10 != 0) out += '.' + std::to_string(tenths % 10);
    return out + " GiB";
}

inline std::string Spot::pointer() const {
    const std::string_view above = part ? part->pointer : std::string_view();
    return member ? Path{.key = member->key}.pointer(above) : std::string(above);
}

class Linting {
    std::optional<DeepSpeedConfig> whole_;  // where only a section was read; `config` may refer to it
    SmallVector<Member, 64> members_;       // of all parts

public:
    Linting(const Document& judged, const Surroundings& where)
        : document(judged),
          around(where),
          config(judged.scope != Scope::document ? read_whole(judged, where)
                 : judged.config                 ? *judged.config
                                                 : *judged.partial),
          reading_(judged.release, judged.source, &judged.tree) {
        reading_.places = zero_places();
        reading_.top_level = &section<DeepSpeedConfig>;
        members_.reserve(judged.tree.nodes.size());  // so that they stay where they are
        open(top, {&judged.tree.value, 0});
        open_below(top, {&zero, &fp16, &bf16, &optimizer, &scheduler, &aio, &data_types, &compile,
                         &activation_checkpointing, &pipeline, &torch_autocast});
        if (!bf16) open(bf16, top["bfloat16"]);
        open_below(zero, {&offload_param, &offload_optimizer, &zenflow});
        open_below(optimizer, {&optimizer_params});
        open_below(scheduler, {&scheduler_params});
        if (const Spot type = optimizer["type"]; type && type.json().is_string())
            optimizer_type_ = to_lower(string_in(type.json()));
        for (const Diagnostic& d : judged.diagnostics)
            if (d.severity == Severity::error &&
                (d.pointer == zero.pointer || d.pointer == "/zero_optimization/stage"))
                stage_known_ = false;
    }
    Linting(const Linting&) = delete;

    const Document& document;
    const Surroundings& around;
    const DeepSpeedConfig& config;  ///< of a refused document: as far as it could be read

    Part top{""};
    Part zero{"/zero_optimization"};
    Part offload_param{"/zero_optimization/offload_param"};
    Part offload_optimizer{"/zero_optimization/offload_optimizer"};
    Part zenflow{"/zero_optimization/zenflow"};
    Part fp16{"/fp16"}, bf16{"/bf16"}, data_types{"/data_types"};
    Part optimizer{"/optimizer"}, optimizer_params{"/optimizer/params"};
    Part scheduler{"/scheduler"}, scheduler_params{"/scheduler/params"};
    Part aio{"/aio"}, compile{"/compile"}, pipeline{"/pipeline"};
    Part activation_checkpointing{"/activation_checkpointing"};
    Part torch_autocast{"/torch_autocast"};

    Release release() const { return document.release; }

    // ---- what rules ask for most

    /// Whether ZeRO runs at one of the stages; false where the document's stage is not valid.
    bool at_stage(int first, int last) const { return stage_known_ && first <= stage() && stage() <= last; }
    int stage() const { return static_cast<int>(config.zero_config.stage); }

    OffloadDeviceEnum optimizer_device() const {
        const auto& offload = config.zero_config.offload_optimizer;
        return offload ? offload->device : OffloadDeviceEnum::none;
    }
    OffloadDeviceEnum param_device() const {
        const auto& offload = config.zero_config.offload_param;
        return offload ? offload->device : OffloadDeviceEnum::none;
    }
    bool offloads_optimizer() const { return optimizer_device() != OffloadDeviceEnum::none; }
    bool offloads_param() const { return param_device() != OffloadDeviceEnum::none; }
    /// Where the document says that the optimizer is offloaded.
    Spot offloaded_optimizer() const {
        const Spot spot = zero["offload_optimizer"];
        return spot ? spot : zero["cpu_offload"];
    }

    /// The type that the model is trained in.
    DataType model_type() const {
        return config.float16_config.enabled    ? DataType::fp16
               : config.bfloat16_config.enabled ? DataType::bf16
                                                : DataType::fp32;
    }
    /// The type that gradients are accumulated in; the model's where the document names none that is one.
    DataType accumulation_type() const {
        const Spot spot = data_types["grad_accum_dtype"];
        if (!spot || !spot.json().is_string()) return model_type();
        return data_type_named(string_in(spot.json())).value_or(model_type());
    }
    /// The optimizer's name in lower case; empty: none is given.
    std::string_view optimizer_type() const { return optimizer_type_; }
    bool has_adam() const { return optimizer_type_ == "adam" || optimizer_type_ == "adamw"; }

    /// Whether something is written there that Python takes for true.
    static bool flag(const Spot& spot) { return spot.is_set() && is_truthy(spot.json()); }
    /// The same for a place deeper down, by its pointer.
    bool flag_at(std::string_view pointer) const {
        const Value value = TreeWalk(document).find(pointer);
        return value.json && is_truthy(*value.json);
    }
    /// The number that is written there; empty for anything else.
    static std::optional<double> number(const Spot& spot) {
        if (!spot || !spot.json().is_number()) return std::nullopt;
        return spot.json().get<double>();
    }

    // ---- saying something

    Diagnostic& at_key(const Spot& spot, Words message, Words hint = {}) {
        return say(spot, true, message, hint);
    }
    Diagnostic& at_value(const Spot& spot, Words message, Words hint = {}) {
        return say(spot, false, message, hint);
    }

    /// Offers the word that was probably meant, if there is one.
    void offer(Diagnostic& d, const Nearest& nearest, const Spot& spot) const {
        if (nearest.name().empty()) return;
        const std::string right = '"' + std::string(nearest.name()) + '"';
        d.hint = "did you mean " + right + '?';
        d.replacement = Replacement{reading_.value_span(spot.member->value), right};
    }

    /// At a place that is no member of a section.
    Diagnostic& at(Span span, Words message, Words hint = {}) {
        Diagnostic& d = at_key({&top, nullptr}, message, hint);
        d.range = unlocated(span);
        return d;
    }

    /// Whether the verdict already has something to say there.
    bool is_reported(const Spot& spot) const {
        if (document.diagnostics.empty()) return false;
        const std::string pointer = spot.pointer();
        for (const Diagnostic& d : document.diagnostics)
            if (d.pointer == pointer) return true;
        return false;
    }

    /// All that is written in the parts.
    const SmallVectorOf<Member>& members() const { return members_; }

    /// The value as written, for use in a message.
    std::string shown(const Spot& spot) const { return reading_.shown(spot.member->value); }
    const Reading& reading() const { return reading_; }

    /// Runs a rule.
    void run(const Rule& rule) {
        rule_ = &rule;
        rule.run(*this);
    }
    Diagnostics take() { return std::move(reading_.diagnostics); }

private:
    /// The rest of a document of which only a section was judged.
    const DeepSpeedConfig& read_whole(const Document& judged, const Surroundings& where) {
        Reading again(judged.release, judged.source, &judged.tree,
                      {where.world_size, where.accelerator, where.caller});
        std::string first_check;
        judge_document({&judged.tree.value, 0}, again, whole_.emplace(), first_check);
        return *whole_;
    }

    void open(Part& part, const Value& value) {
        const Member* const first = members_.end();
        reading_.append_members_of(value, members_);
        part = {part.pointer, value, first, members_.end()};
    }
    void open(Part& part, const Spot& spot) {
        if (spot && spot.json().is_object()) open(part, spot.member->value);
    }
    /// Each under the last key of its own pointer, where `outer` has an object there.
    void open_below(const Part& outer, std::initializer_list<Part*> parts) {
        for (const Member& member : outer) {
            if (!member.value.json->is_object()) continue;
            const std::size_t size = outer.pointer.size() + 1 + member.key.size();
            for (Part* part : parts)
                if (part->pointer.size() == size && part->pointer.ends_with(member.key) && !*part)
                    open(*part, member.value);
        }
    }

    /// A spot that is empty has its part's place, the document's is its first byte.
    Diagnostic& say(const Spot& spot, bool key, Words message, Words hint) {
        const Value value = spot ? spot.member->value : spot.part ? spot.part->value : Value();
        Span span = key || !spot ? reading_.key_span(value) : reading_.value_span(value);
        if (span.begin == span.end)
            span = {reading_.value_span(value).begin, reading_.value_span(value).begin};
        Diagnostic& d = reading_.report(rule_->severity, rule_->code, spot.pointer(), span, joined(message));
        d.hint = joined(hint);
        return d;
    }

    static std::string joined(Words words) {
        std::size_t size = 0;
        for (const std::string_view word : words) size += word.size();
        std::string out(size, ' ');
        char* end = out.data();
        for (const std::string_view word : words) end = std::copy(word.begin(), word.end(), end);
        return out;
    }

    Reading reading_;  // its diagnostics are the findings
    const Rule* rule_ = nullptr;
    std::string optimizer_type_;
    bool stage_known_ = true;
};

}  // namespace dszero
