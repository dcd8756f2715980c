// SPDX-License-Identifier: MIT
//
// Reads the file it is given, and fails unless its sections read back to equal values, the
// stage by the other source file, which includes dszero too.
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
    const dszero::DeepSpeedConfig copy = document.value();
    const nlohmann::ordered_json compiling = copy.compile_config;
    if (copy != document.value() || compiling.get<dszero::CompileConfig>() != copy.compile_config) return 1;
    const double gradient_clipping = copy.gradient_clipping;
    std::printf("dszero %s, stage %d, gradients clipped at %g\n", dszero::version_string().c_str(),
                static_cast<int>(zero.stage), gradient_clipping);
    return stage_in(section) == static_cast<int>(zero.stage) ? 0 : 1;
}
