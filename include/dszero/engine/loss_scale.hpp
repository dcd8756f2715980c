// SPDX-License-Identifier: MIT
//
// The loss scale of fp16: what the loss is multiplied by, so that small gradients
// do not vanish. A static one stays; a dynamic one halves on overflow (after
// `hysteresis` of them) and doubles after `window` clean steps. bf16 and fp32
// have the static scale 1.
//
// As in DeepSpeed the scale grows before the step unscales its gradients, so on
// such a step they are half of what they should be. It is reproduced because it
// changes the numbers that a user would compare.
#pragma once

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace dszero {

class LossScale {
public:
    struct Dynamic {
        double initial = 65536;
        std::int64_t window = 1000;  ///< clean steps until it doubles
        std::int64_t hysteresis = 2;
        bool consecutive_hysteresis = false;  ///< a clean step forgets the overflows before it
        double minimum = 1;
    };

    explicit LossScale(double fixed = 1) : scale_(fixed) {}
    explicit LossScale(const Dynamic& dynamic)
        : dynamic_(dynamic), is_dynamic_(true), scale_(dynamic.initial), hysteresis_(dynamic.hysteresis) {}

    double value() const { return scale_; }
    bool is_dynamic() const { return is_dynamic_; }
    std::int64_t hysteresis() const { return hysteresis_; }  ///< overflows left until it halves, and this one
    std::int64_t iteration() const { return iteration_; }    ///< updates so far
    std::int64_t last_overflow() const { return last_overflow_; }  ///< the iteration; -1: none

    /// To be called once a step. Throws std::runtime_error when it would have to go below the minimum.
    void update(bool overflow) {
        if (!is_dynamic_) return;
        if (overflow) {
            if (dynamic_.hysteresis == 1 || hysteresis_ == 1) {
                if (scale_ == dynamic_.minimum)
                    throw std::runtime_error(
                        "gradients overflow although the loss scale is at its minimum, " +
                        std::to_string(dynamic_.minimum) + ": lower the learning rate, or train in bf16");
                scale_ = std::max(scale_ / 2, dynamic_.minimum);
            } else {
                --hysteresis_;
            }
            last_overflow_ = iteration_;
        } else {
            if (dynamic_.consecutive_hysteresis) hysteresis_ = dynamic_.hysteresis;
            const std::int64_t clean = iteration_ - last_overflow_ - 1;
            if (clean > 0 && clean % dynamic_.window == 0) {
                hysteresis_ = dynamic_.hysteresis;
                scale_ *= 2;
            }
        }
        ++iteration_;
    }

private:
    Dynamic dynamic_;
    bool is_dynamic_ = false;
    double scale_ = 1;
    std::int64_t hysteresis_ = 2;
    std::int64_t iteration_ = 0;
    std::int64_t last_overflow_ = -1;
};

}  // namespace dszero
