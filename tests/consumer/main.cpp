// SPDX-License-Identifier: MIT
//
// Reads the file it is given, and fails unless the other source file, which includes
// dszero too, reads the same stage out of what this one writes.
#include <nlohmann/json.hpp>

#include <cstdio>
#include <dszero/dszero.hpp>

int stage_in(const nlohmann::json& section);

int main(int, char** arguments) {
    const dszero::Document document = dszero::load(arguments[1]);
    std::fputs(dszero::render_text(document.source, document.diagnostics).c_str(), stderr);
    if (!document.accepted()) return 1;

    const dszero::DeepSpeedZeroConfig& zero = document.value().zero_config;
    const nlohmann::json section = zero;
    std::printf("dszero %s, stage %d\n", dszero::version_string().c_str(), static_cast<int>(zero.stage));
    return stage_in(section) == static_cast<int>(zero.stage) ? 0 : 1;
}
