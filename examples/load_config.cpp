// SPDX-License-Identifier: MIT

// A trainer's start-up: read ds_config.json, say what is wrong with it, use it.
#include <dszero/dszero.hpp>
#include <iostream>

int main(int argc, char** argv) try {
    const dszero::Document config = dszero::load(argc > 1 ? argv[1] : "ds_config.json");
    std::cerr << dszero::render_text(config.source, config.diagnostics);  // warnings, too
    if (!config.accepted()) return 1;

    const dszero::DeepSpeedZeroConfig& zero = config.value().zero_config;
    std::cout << "stage " << static_cast<int>(zero.stage) << ", buckets of " << zero.reduce_bucket_size
              << " elements\n";
} catch (const std::system_error& error) {  // no such file, for one
    std::cerr << error.what() << '\n';
    return 1;
}
