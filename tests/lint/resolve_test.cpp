// SPDX-License-Identifier: MIT
//
// tests/compare/hf_resolve.py asks transformers itself; here is what it cannot ask.
#include <dszero/lint/resolve.hpp>

#include "support/catch.hpp"

#include <string>

using namespace dszero;

namespace {

Resolved resolved(const std::string& text, const TrainerFacts& facts) { return resolve(parse(text), facts); }

}  // namespace

TEST_CASE("resolve: a key with dots in it is no path") {
    const std::string text = R"({"optimizer.params.lr": "auto", "train_batch_size": 8})";
    const Resolved result = resolved(text, {});
    CHECK(result.text == text);
    CHECK(result.left == std::vector<std::string>{"optimizer.params.lr"});
}

TEST_CASE("resolve: the fact that is missing or in the way is the one that is named") {
    TrainerFacts facts;
    facts.warmup_steps = 20;
    const Resolved other = resolved(R"({"scheduler": {"params": {"warmup_num_steps": 7}}})", facts);
    REQUIRE(other.problems.size() == 1);
    CHECK(other.problems[0].find("but warmup_steps makes it 20") != std::string::npos);
    facts.warmup_steps = 0.1;
    const Resolved missing = resolved(R"({"scheduler": {"params": {"warmup_num_steps": "auto"}}})", facts);
    REQUIRE(missing.problems.size() == 1);
    CHECK(missing.problems[0].find("needs num_training_steps") != std::string::npos);
}
