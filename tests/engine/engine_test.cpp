// SPDX-License-Identifier: MIT
#include <dszero/engine/engine.hpp>

#include "support/catch.hpp"
#include "support/endings.hpp"
#include "support/faulty_communicator.hpp"
#include "support/training.hpp"

#include <atomic>
#include <cmath>
#include <cstddef>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

using namespace dszero;
using test::endings;
using test::Run;

namespace {

/// An optimizer that fails on one rank, in its t-th step.
struct Failing : AdamW {
    bool fails = false;

    template <Scalar Gradient, Scalar Weight>
    void step(const StepScalars& at, const StepSpans<Gradient, Weight>& spans) const {
        if (fails && at.t == 2) throw std::runtime_error("the optimizer gave up");
        AdamW::step(at, spans);
    }
};

}  // namespace

TEST_CASE("errors: one rank's, in any phase, ends every rank with its message") {
    for (int stage = 0; stage < 4; ++stage)
        for (const char* phase :
             {"initial values", "gather", "backward", "reduce", "before the step", "step"}) {
            CAPTURE(stage, phase);
            const std::string where = phase;
            const Run run{.stage = stage, .ranks = 3, .type = "bf16", .bucket = 60, .overlap = true};
            const auto config = test::config_for(run);
            const auto messages = endings(3, [&](ThreadCommunicator& comm) {
                const bool fails = comm.rank() == 1;
                const auto fail_in = [&](const char* here, int step) {
                    if (fails && step == 1 && where == here) throw std::runtime_error("rank 1 tripped");
                };
                Layout layout = test::odd_layout();
                if (where == "initial values")
                    layout.init = [&](std::size_t, std::size_t, std::span<float>) {
                        fail_in("initial values", 1);
                    };
                Failing optimizer;
                optimizer.fails = fails && where == "step";
                EngineOptions options;
                options.optimizer = ErasedOptimizer(optimizer);
                with_engine(config, layout, comm, options, [&](auto& engine) {
                    for (int s = 0; s < 4; ++s) {
                        for (std::size_t m = 0; m < layout.modules.size(); ++m) {
                            const auto w = engine.gather({m});
                            if (m == 2) fail_in("gather", s);
                        }
                        for (std::size_t m = layout.modules.size(); m-- > 0;) {
                            const auto w = engine.gather({m});
                            const auto g = engine.gradient({m});
                            if (m == 2) fail_in("backward", s);
                            engine.reduce({m});
                            if (m == 1) fail_in("reduce", s);
                        }
                        fail_in("before the step", s);
                        engine.step();
                    }
                });
            });
            for (const std::string& message : messages)
                CHECK((message.find("tripped") != std::string::npos ||
                       message.find("gave up") != std::string::npos));
        }
}

TEST_CASE("errors: a collective that fails on one rank, whichever, ends every rank") {
    for (int stage = 0; stage < 4; ++stage) {
        const Run run{
            .stage = stage, .ranks = 3, .type = "bf16", .bucket = 60, .overlap = true, .micro_steps = 2};
        const auto config = test::config_for(run);
        const Layout layout = test::odd_layout();
        bool reached = true;
        for (std::size_t n = 0; reached; ++n) {
            CAPTURE(stage, n);
            std::atomic<bool> failed = false;
            const auto messages = endings(3, [&](ThreadCommunicator& thread) {
                test::FaultyCommunicator comm(thread, 2, n);
                try {
                    const EngineOptions options;
                    Engine<bf16, test::FaultyCommunicator> engine(settings_for(config, options, 3), layout,
                                                                  comm, options);
                    for (int s = 0; s < 2; ++s)
                        for (int m = 0; m < 2; ++m) {
                            test::pass(engine, static_cast<std::size_t>(comm.rank()), s, m);
                            engine.step();
                        }
                    engine.full_weight(0);
                } catch (...) {
                    if (comm.rank() == 2) failed = true;
                    throw;
                }
            });
            reached = failed;
            for (const std::string& message : messages)
                CHECK((message.find("the cable is cut") != std::string::npos) == reached);
        }
    }
}

TEST_CASE("budgets: a breach on one rank is an error on every rank, before anything is allocated") {
    for (int stage = 0; stage < 4; ++stage) {
        CAPTURE(stage);
        const Run run{.stage = stage, .ranks = 3, .type = "bf16", .bucket = 60};
        const auto config = test::config_for(run);
        std::atomic<int> calls = 0;
        Layout layout = test::odd_layout();
        layout.init = [&](std::size_t, std::size_t, std::span<float>) { ++calls; };
        const auto messages = endings(3, [&](ThreadCommunicator& comm) {
            EngineOptions options;
            if (comm.rank() == 1) options.budgets.device = 2000;
            with_engine(config, layout, comm, options, [](auto&) {});
        });
        CHECK(calls == 0);
        CHECK(messages[1].starts_with("device: "));
        CHECK(messages[1].find("budget of 2000 bytes") != std::string::npos);
        CHECK(messages[0] == "rank 1: " + messages[1]);
        CHECK(messages[2] == messages[0]);
    }
}

TEST_CASE("budgets: stage 3's must hold the largest module, which is known before anything is allocated") {
    const Run run{.stage = 3, .ranks = 3, .type = "bf16", .bucket = 60};
    const auto config = test::config_for(run);
    const auto expected = test::train(run);
    const auto& device = expected.reports[0].memory.tiers[0];
    const std::size_t fixed = device.total.current_bytes -
                              device.by_purpose[static_cast<std::size_t>(Purpose::gathered)].current_bytes;
    const std::size_t module_b = 2 * (282 + 9 + 12);  // in thirds
    CHECK(device.total.peak_bytes > fixed + module_b);

    std::atomic<int> calls = 0;
    Layout layout = test::odd_layout();
    const auto with_budget = [&](std::size_t bytes, const auto& body) {
        return endings(3, [&](ThreadCommunicator& comm) {
            EngineOptions options;
            if (comm.rank() == 1) options.budgets.device = bytes;
            with_engine(config, layout, comm, options, body);
        });
    };
    const auto init = layout.init;
    layout.init = [&](std::size_t p, std::size_t offset, std::span<float> values) {
        ++calls;
        init(p, offset, values);
    };
    for (const std::string& message : with_budget(fixed + module_b - 1, [](auto&) {}))
        CHECK(message.find("would exceed the budget") != std::string::npos);
    CHECK(calls == 0);

    // with just that much, less is kept and nothing is fetched ahead
    std::atomic<bool> same = false;
    std::atomic<std::size_t> peak = 0;
    for (const std::string& message : with_budget(fixed + module_b, [&](auto& engine) {
             const auto rank = static_cast<std::size_t>(engine.report().memory.rank);
             for (int s = 0; s < run.steps; ++s) {
                 test::pass(engine, rank, s, 0);
                 engine.step();
             }
             if (rank == 1) peak = engine.report().memory.tiers[0].total.peak_bytes;
             const auto bits = test::bits_of(engine);
             if (rank == 1) same = bits == expected.bits;
         }))
        CHECK(message == "");
    CHECK(same);
    CHECK(peak == fixed + module_b);
}

TEST_CASE("weights: only what is gathered can be read") {
    for (int stage = 0; stage < 4; ++stage) {
        CAPTURE(stage);
        const auto config = test::config_for({.stage = stage});
        const Layout layout = test::odd_layout();
        ThreadWorld(1).run([&](auto& comm) {
            with_engine(config, layout, comm, [&](auto& engine) {
                CHECK_THROWS_AS(engine.weight(1), std::logic_error);
                {
                    auto w = engine.gather({1});
                    CHECK(w.size() == 2);
                    CHECK(w[0].data() == engine.weight(1).data());
                    auto moved = std::move(w);
                    CHECK_THROWS_AS(w[0], std::logic_error);
                    CHECK(moved[1].size() == 1);
                    CHECK_THROWS_AS(engine.weight(3), std::logic_error);
                    CHECK_THROWS_AS(engine.step(), std::logic_error);
                }
                CHECK_THROWS_AS(engine.weight(1), std::logic_error);
            });
        });
    }
}

TEST_CASE("gradients: calls out of order are errors that say so") {
    for (int stage = 0; stage < 4; ++stage) {
        CAPTURE(stage);
        const auto config = test::config_for({.stage = stage});
        const Layout layout = test::odd_layout();
        const auto message_of = [&](auto&& calls) {
            return endings(1, [&](ThreadCommunicator& comm) { with_engine(config, layout, comm, calls); })[0];
        };
        // embed's only parameter is head's, too: each of the two has to come back by itself
        for (const std::size_t m : {std::size_t{1}, std::size_t{0}}) {
            const std::string module = m == 1 ? "module a" : "module embed";
            CHECK(message_of([&](auto& engine) {
                      (void)engine.gradient({4});
                      engine.reduce({4});
                      engine.reduce({m});
                  }) == "reduce: no gradients of " + module + " were lent; call gradient() first");
            CHECK(message_of([&](auto& engine) {
                      (void)engine.gradient({m});
                      engine.reduce({m});
                      (void)engine.gradient({m});
                  }) == "gradient: those of " + module + " were given back before");
            CHECK(message_of([&](auto& engine) {
                      (void)engine.gradient({m});
                      engine.reduce({m});
                      engine.reduce({m});
                  }) == "reduce: the gradients of " + module + " were given back before");
            CHECK(message_of([&](auto& engine) {
                      (void)engine.gradient({4});
                      (void)engine.gradient({m});
                      engine.reduce({4});
                      engine.step();
                  }) == "the gradients of " + module + " were lent, but never given back with reduce()");
        }
    }
}

TEST_CASE("gradients: a module with nothing to train needs no calls, and may have them") {
    Layout layout;
    const auto w = layout.add_parameter("w", {8}), frozen = layout.add_parameter("frozen", {8}, true);
    layout.add_module("trained", {w});
    layout.add_module("frozen", {frozen});
    for (int stage = 0; stage < 4; ++stage)
        for (const int calls : {0, 1, 2, 3}) {
            CAPTURE(stage, calls);
            const std::string ending = endings(1, [&](ThreadCommunicator& comm) {
                with_engine(test::config_for({.stage = stage}), layout, comm, [&](auto& engine) {
                    for (int step = 0; step < 2; ++step) {
                        (void)engine.gradient({0});
                        engine.reduce({0});
                        if (calls & 1) (void)engine.gradient({1});
                        if (calls & 2) engine.reduce({1});
                        engine.step();
                    }
                });
            })[0];
            CHECK(ending == "");
        }
}

TEST_CASE("states: one that the optimizer has not is an error that names those it has") {
    const Layout layout = test::odd_layout();
    const std::string ending = endings(1, [&](ThreadCommunicator& comm) {
        with_engine(test::config_for({}), layout, comm,
                    [](auto& engine) { (void)engine.full_state(0, "momentum_buffer"); });
    })[0];
    CHECK(ending == "the optimizer has no state \"momentum_buffer\"; it has exp_avg, exp_avg_sq");
}

TEST_CASE("gradients: what no micro-step touched is zero, and steps all the same") {
    for (const std::int64_t micro_steps : {1, 2}) {
        std::vector<std::uint32_t> expected;
        for (int stage = 0; stage < 4; ++stage) {
            CAPTURE(stage, micro_steps);
            const Run run{.stage = stage, .ranks = 2, .micro_steps = micro_steps};
            const Layout layout = test::odd_layout();
            std::vector<std::uint32_t> bits;
            ThreadWorld(2).run([&](auto& comm) {
                with_engine(test::config_for(run), layout, comm, [&](auto& engine) {
                    for (int s = 0; s < 3; ++s)
                        for (int micro = 0; micro < micro_steps; ++micro) {
                            // embed is used by one of its two modules, b in the first micro-step only, c in
                            // none
                            for (const std::size_t m : {std::size_t{4}, std::size_t{2}, std::size_t{1}}) {
                                if (m == 2 && micro > 0) continue;
                                const auto w = engine.gather({m});
                                const auto g = engine.gradient({m});
                                for (std::size_t i = 0; i < g.size(); ++i)
                                    for (auto& x : g[i])
                                        x = std::remove_cvref_t<decltype(x)>(
                                            static_cast<float>(comm.rank() + micro + 1));
                                engine.reduce({m});
                            }
                            engine.step();
                        }
                    const auto all = test::bits_of(engine);
                    if (comm.rank() == 0) bits = all;
                });
            });
            if (stage == 0) expected = bits;
            CHECK(bits == expected);
        }
    }
}

TEST_CASE("order of use: a change is noticed, and results stay the same") {
    std::vector<std::uint32_t> expected;
    for (int stage = 0; stage < 4; ++stage) {
        CAPTURE(stage);
        const Layout layout = test::odd_layout();
        ThreadWorld(3).run([&](auto& comm) {
            with_engine(test::config_for({.stage = stage}), layout, comm, [&](auto& engine) {
                const auto rank = static_cast<std::size_t>(comm.rank());
                for (int s = 0; s < 6; ++s) {
                    if (s == 3)  // a look at some weights, as for an evaluation
                        for (const std::size_t m : {std::size_t{3}, std::size_t{0}}) {
                            const auto w = engine.gather({m});
                        }
                    if (s == 4)
                        for (std::size_t m = 0; m < layout.modules.size(); ++m) {
                            const auto w = engine.gather({m});
                        }
                    test::pass(engine, rank, s, 0);
                    engine.step();
                }
                const auto bits = test::bits_of(engine);
                if (rank == 0 && stage == 0) expected = bits;
                if (rank == 0) CHECK(bits == expected);
            });
        });
    }
}

TEST_CASE("stage 3: live weights stay within the limits") {
    const Layout layout = test::odd_layout();
    const auto peak = [&](std::int64_t live, std::int64_t prefetch, std::int64_t reuse,
                          std::int64_t persistent) {
        auto config = test::config_for({.stage = 3});
        config.zero_config.max_live_parameters = live;
        config.zero_config.prefetch_bucket_size = prefetch;
        config.zero_config.max_reuse_distance = reuse;
        config.zero_config.param_persistence_threshold = persistent;
        const auto outcome = test::train(config, layout, {.stage = 3, .ranks = 2});
        CHECK(outcome.bits == test::train({.stage = 3, .ranks = 2}).bits);
        return outcome.reports[0]
                   .memory.tiers[0]
                   .by_purpose[static_cast<std::size_t>(Purpose::gathered)]
                   .peak_bytes /
               4;
    };
    const std::size_t module_b = 280 + 8 + 12;  // with padding: the largest
    const std::size_t all = 66 + 52 + 2 + 280 + 8 + 12 + 64 + 34;
    CHECK(peak(1'000'000, 0, 0, 0) == module_b);
    CHECK(peak(1'000'000, 1'000'000, 1'000'000, 0) == all);
    CHECK(peak(0, 1'000'000, 1'000'000, 0) == module_b);  // no room to keep or to fetch ahead
    CHECK(peak(1'000'000, 0, 0, 11) == module_b + 2);     // a.b, b.b and b.frozen persist
    CHECK(peak(400, 1'000'000, 0, 0) < all);
}

TEST_CASE("settings: what the engine does not have is an error that says so") {
    const auto message_for = [](auto&& change) {
        auto config = test::config_for({.stage = 2});
        change(config);
        return endings(1, [&](ThreadCommunicator& comm) {
            with_engine(config, test::odd_layout(), comm, [](auto&) {});
        })[0];
    };
    CHECK(message_for([](auto& c) { c.optimizer.type = "Lamb"; }) ==
          "optimizer \"Lamb\" is not one of Adam, AdamW, Adagrad, Lion, SGD");
    CHECK(
        message_for([](auto& c) { c.scheduler.type = "StepLR"; }) ==
        "scheduler \"StepLR\" is not one of WarmupLR, WarmupDecayLR, WarmupCosineLR, OneCycle, LRRangeTest");
    CHECK(message_for([](auto& c) { c.float16_config.enabled = c.bfloat16_config.enabled = true; }) ==
          "fp16 and bf16 cannot both be enabled");
    CHECK(message_for([](auto& c) { c.zero_config.zero_quantized_gradients = true; }) ==
          "quantized communication (ZeRO++) is not offered by dszero's engine");
    CHECK(message_for([](auto& c) { c.torch_autocast.enabled = true; }) ==
          "torch_autocast is not offered by dszero's engine");
    CHECK(message_for([](auto& c) { c.tensor_parallel_config.autotp_size = 2; }) ==
          "tensor_parallel is not offered by dszero's engine");
    CHECK(message_for([](auto& c) { c.sequence_parallel_size = 2; }) ==
          "sequence_parallel_size is not offered by dszero's engine");
    CHECK(message_for([](auto& c) { c.data_types.grad_accum_dtype = "bf16"; }) ==
          "grad_accum_dtype must be the model's type, fp32, or fp32; got \"bf16\"");
    CHECK(message_for([](auto& c) { c.gradient_predivide_factor = 2; }).find("need reduce_scatter: false") !=
          std::string::npos);
    CHECK(message_for([](auto& c) { c.zero_config.zero_quantized_nontrainable_weights = true; }) ==
          "zero_quantized_nontrainable_weights is not offered by dszero's engine");
    CHECK(message_for([](auto& c) { c.managed_gradient_accumulation = false; }) ==
          "managed_gradient_accumulation false is not offered by dszero's engine");
    CHECK(message_for([](auto& c) {
              c.zero_config.stage = ZeroStageEnum::weights;
              c.gradient_allreduce_op = GradientAllreduceOp::sum;
          }) == "gradient_allreduce_op \"sum\" is not there at stage 3");
    CHECK(message_for([](auto& c) {
              c.zero_config.compute_grad_norm = false;
          }).starts_with("compute_grad_norm false cannot go with gradient_clipping"));
    const auto with_power = [&](std::int64_t power) {
        return message_for([&](auto& c) {
            c.float16_config.enabled = true;
            c.float16_config.initial_scale_power = power;
        });
    };
    CHECK(with_power(63) == "");
    CHECK(with_power(-126) == "");
    for (const std::int64_t power : {std::int64_t{64}, std::int64_t{1024}, std::int64_t{1} << 40})
        CHECK(with_power(power) ==
              "fp16: initial_scale_power must be from -126 to 63; got " + std::to_string(power));
    CHECK(message_for([](auto& c) { c.train_batch_size = 7; }).find("train_batch_size") != std::string::npos);
}

TEST_CASE("gradient_allreduce_op: a sum is not divided, whatever the predivide factor") {
    for (int stage = 0; stage < 3; ++stage)
        for (const char* type : {"fp32", "bf16"}) {
            CAPTURE(stage, type);
            const Run run{.stage = stage, .ranks = 4, .type = type, .bucket = 60, .clipping = 0};
            auto config = test::config_for(run);
            config.optimizer.type = "SGD";
            const auto masters = [&](double lr) {
                config.optimizer.params = json_object();
                append_member(config.optimizer.params, "lr", json_float(lr));
                std::vector<float> values;
                Layout layout = test::odd_layout();
                layout.groups.clear();  // they have rates of their own
                ThreadWorld(4).run([&](auto& comm) {
                    with_engine(config, layout, comm, [&](auto& engine) {
                        test::pass(engine, static_cast<std::size_t>(comm.rank()), 0, 0);
                        engine.step();
                        for (std::size_t p = 0; p < layout.parameters.size(); ++p) {
                            const auto all = engine.full_weight(p);
                            if (comm.rank() == 0) values.insert(values.end(), all.begin(), all.end());
                        }
                    });
                });
                return values;
            };
            const auto averaged = masters(0.25);
            config.gradient_allreduce_op = GradientAllreduceOp::sum;
            CHECK(masters(0.0625) == averaged);  // four ranks, and all factors powers of two
            if (stage == 2) continue;
            config.gradient_predivide_factor = 2;
            CHECK(masters(0.0625) == averaged);
        }
}

TEST_CASE("compute_grad_norm: without it a step has no norm, and is the same") {
    for (const int stage : {1, 2}) {
        CAPTURE(stage);
        const Run run{.stage = stage, .ranks = 3, .type = "bf16", .clipping = 0};
        auto config = test::config_for(run);
        const auto with = test::train(config, test::odd_layout(), run);
        config.zero_config.compute_grad_norm = false;
        const auto without = test::train(config, test::odd_layout(), run);
        CHECK(without.bits == with.bits);
        CHECK(with.norms[0] > 0);
        CHECK(std::isnan(without.norms[0]));
    }
}

TEST_CASE("settings: a layout that contradicts itself is an error") {
    Layout layout = test::odd_layout();
    layout.groups[0].parameters.push_back(99);
    const auto message = endings(1, [&](ThreadCommunicator& comm) {
        with_engine(test::config_for({.stage = 1}), layout, comm, [](auto&) {});
    })[0];
    CHECK(message == "layout: optimizer group 0 lists parameter 99, which does not exist");
}

TEST_CASE("optimizers: each gives the same bits at every stage") {
    for (const char* type : {"Adam", "AdamW", "Adagrad", "Lion", "SGD"}) {
        std::vector<std::vector<float>> expected;
        for (int stage = 0; stage < 4; ++stage) {
            CAPTURE(type, stage);
            auto config = test::config_for({.stage = stage, .type = "bf16"});
            config.optimizer.type = type;
            if (config.optimizer.type == "SGD")
                append_member(config.optimizer.params, "momentum", json_float(0.9));
            const Layout layout = test::odd_layout();
            std::vector<std::vector<float>> values;
            ThreadWorld(3).run([&](auto& comm) {
                with_engine(config, layout, comm, [&](auto& engine) {
                    for (int s = 0; s < 3; ++s) {
                        test::pass(engine, static_cast<std::size_t>(comm.rank()), s, 0);
                        engine.step();
                    }
                    for (std::size_t p = 0; p < layout.parameters.size(); ++p) {
                        auto all = engine.full_weight(p);
                        if (comm.rank() == 0) values.push_back(std::move(all));
                    }
                });
            });
            if (stage == 0) expected = values;
            CHECK(values == expected);
        }
    }
}

TEST_CASE("order of use: ranks whose gradients were lent in different orders are told so") {
    for (const int stage : {2, 3}) {
        CAPTURE(stage);
        Layout layout;
        for (const char* name : {"x", "y"}) layout.add_module(name, {layout.add_parameter(name, {8})});
        const auto messages = endings(2, [&](ThreadCommunicator& comm) {
            with_engine(test::config_for({.stage = stage}), layout, comm, [&](auto& engine) {
                const auto first = static_cast<std::size_t>(comm.rank());
                (void)engine.gradient({first});  // both lie in one bucket, in this order
                (void)engine.gradient({1 - first});
                for (const std::size_t m : {0u, 1u}) engine.reduce({m});
                engine.step();
            });
        });
        for (const std::string& message : messages) CHECK(message.find("rank") != std::string::npos);
    }
}

TEST_CASE("modules: one that does not exist is an error that says so") {
    for (int stage = 0; stage < 4; ++stage) {
        CAPTURE(stage);
        ThreadWorld(1).run([&](auto& comm) {
            const Layout layout = test::odd_layout();
            with_engine(test::config_for({.stage = stage}), layout, comm, [&](auto& engine) {
                const std::string message = "there is no module 5: the layout has 5";
                CHECK_THROWS_WITH((void)engine.gather({5}), message);
                CHECK_THROWS_WITH((void)engine.gradient({5}), message);
                CHECK_THROWS_WITH(engine.reduce({5}), message);
            });
        });
    }
}

TEST_CASE("report: of a backward without any reduce(), nothing was reduced before its end") {
    for (int stage = 0; stage < 4; ++stage) {
        CAPTURE(stage);
        ThreadWorld(2).run([&](auto& comm) {
            const Layout layout = test::odd_layout();
            with_engine(test::config_for({.stage = stage, .micro_steps = 2}), layout, comm,
                        [&](auto& engine) {
                            for (int s = 0; s < 2; ++s) {
                                test::pass(engine, static_cast<std::size_t>(comm.rank()), s, 0);
                                engine.step();
                                engine.step();  // nothing in the second micro-step
                            }
                            const EngineReport report = engine.report();
                            if (comm.rank() == 0) CHECK(report.traffic.gradient_bytes_before_end() == 0);
                        });
        });
    }
}

TEST_CASE("order of use: ranks that go different ways are told so") {
    for (int stage = 0; stage < 4; ++stage) {
        CAPTURE(stage);
        Layout layout;  // two modules of one size, so that nothing else gives it away
        for (const char* name : {"x", "y"}) layout.add_module(name, {layout.add_parameter(name, {8})});
        const auto messages = endings(3, [&](ThreadCommunicator& comm) {
            with_engine(test::config_for({.stage = stage}), layout, comm, [&](auto& engine) {
                const std::size_t first = comm.rank() == 2 ? 1 : 0;
                for (const std::size_t m : {first, 1 - first}) {
                    const auto w = engine.gather({m});
                    (void)engine.gradient({m});
                    engine.reduce({m});
                }
                engine.step();
            });
        });
        // at stage 2 the owners differ as well, which the communicator sees first
        for (const std::string& message : messages)
            CHECK(message.find(stage == 2 ? "rank" : "rank 2 and rank 0") != std::string::npos);
    }
}
