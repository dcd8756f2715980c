// SPDX-License-Identifier: MIT
//
// libFuzzer's way into everything that is done with a whole document: verdict, lint, waivers, fix and
// resolve. Built by hand:
//
//     clang++ -std=c++20 -O1 -g -fsanitize=fuzzer,address,undefined -Iinclude tests/fuzz/fix_fuzz.cpp -o
//     fix_fuzz mkdir -p found && ./fix_fuzz -max_len=3000 found SEEDS
//
// The first byte chooses the circumstances, the others are the text (and, once more, the file of waivers).
// Checked: what is mended or resolved can still be read, safe repairs keep a document accepted (that they
// keep its values fix itself checks), and mending twice is mending once.
#include <dszero/lint/fix.hpp>
#include <dszero/lint/resolve.hpp>
#include <dszero/lint/review.hpp>
#include <dszero/text/unified_diff.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

using namespace dszero;

namespace {

void require(bool condition, const char* what, const std::string& before, const std::string& after) {
    if (condition) return;
    std::fprintf(stderr, "not so: %s\n%s\n->\n%s\n", what, before.c_str(), after.c_str());
    std::abort();
}

bool is_readable(const Document& document) { return !document.tree.nodes.empty(); }

void check_fix(const Document& before, const LoadOptions& options, FixScope scope) {
    const std::string& text = before.source.text;
    const std::string mended = fix(text, options, scope).text;
    if (mended == text) return;
    const Document after = parse(mended, options);
    (void)unified_diff("ds_config.json", text, mended);
    require(!is_readable(before) || is_readable(after), "what is mended can be read", text, mended);
    require(scope == FixScope::unsafe || !before.accepted() || after.accepted(),
            "safe repairs keep it accepted", text, mended);
    require(fix(mended, options, scope).text == mended, "mending twice is mending once", text, mended);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    LoadOptions options;
    if (data[0] & 1) options.world_size = 8;
    if (data[0] & 2) options.caller = Caller::huggingface;
    if (data[0] & 4) options.release = "0.14.5";
    if (data[0] & 8) options.accelerator = Accelerator::cpu;
    const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
    const Document document = parse(text, options);

    const ModelFacts model{7'000'000'000, 131'072'000};
    const Surroundings around{options.world_size, options.accelerator, options.caller, 8, model};
    (void)review(document, around, {"ds_config.json.waivers", text});
    check_fix(document, options, FixScope::safe);
    check_fix(document, options, FixScope::unsafe);

    const Resolved resolved = resolve(document, {.hidden_size = 64, .num_training_steps = 10});
    require(!is_readable(document) || is_readable(parse(resolved.text, options)),
            "what is resolved can be read", text, resolved.text);
    return 0;
}
