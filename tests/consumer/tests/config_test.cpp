// SPDX-License-Identifier: MIT
#include <dszero/testing/catch2.hpp>

#if __has_include(<catch2/catch_test_macros.hpp>)
#include <catch2/catch_test_macros.hpp>
#endif

#include <cstdlib>
#include <string>

std::string configs() { return std::getenv("CONFIGS"); }

TEST_CASE("ds_config: DeepSpeed accepts it") {
    REQUIRE_THAT(dszero::load(configs() + "/ds_config.json"), dszero::is_accepted());
    REQUIRE_THAT(dszero::load(configs() + "/broken_ds_config.json"), !dszero::is_accepted());
}

TEST_CASE("ds_config: one that is broken", "[.broken]") {
    CHECK_THAT(dszero::load(configs() + "/broken_ds_config.json"), dszero::is_accepted());
}
