// SPDX-License-Identifier: MIT
#include <dszero/engine/loss_scale.hpp>

#include "support/catch.hpp"

#include <stdexcept>

using dszero::LossScale;

TEST_CASE("loss scale: a static one stays") {
    LossScale scale(128);
    scale.update(true);
    scale.update(false);
    CHECK(scale.value() == 128);
}

TEST_CASE("loss scale: it halves once the hysteresis is used up, and doubles after a clean window") {
    LossScale scale({.initial = 1024, .window = 2, .hysteresis = 2});
    for (const bool overflow : {false, false, true, true, true}) scale.update(overflow);
    CHECK(scale.value() == 256);
    CHECK(scale.hysteresis() == 1);
    scale.update(false);
    scale.update(false);
    CHECK(scale.value() == 256);
    scale.update(false);  // the first clean step does not count
    CHECK(scale.value() == 512);
    CHECK(scale.hysteresis() == 2);
    CHECK(scale.last_overflow() == 4);
    CHECK(scale.iteration() == 8);
}

TEST_CASE("loss scale: clean steps refill the hysteresis only if they are asked to") {
    for (const bool consecutive : {false, true}) {
        LossScale scale(
            {.initial = 64, .window = 100, .hysteresis = 2, .consecutive_hysteresis = consecutive});
        for (const bool overflow : {true, false, true}) scale.update(overflow);
        CHECK(scale.value() == (consecutive ? 64 : 32));
    }
}

TEST_CASE("loss scale: going below the minimum is an error") {
    LossScale scale({.initial = 2, .window = 2, .hysteresis = 1, .minimum = 1});
    scale.update(true);
    CHECK(scale.value() == 1);
    CHECK_THROWS_AS(scale.update(true), std::runtime_error);
}
