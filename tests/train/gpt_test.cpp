// SPDX-License-Identifier: MIT
#include "gpt.hpp"
#include "support/catch.hpp"
#include "text.hpp"

#include <cmath>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

using namespace gpt;

namespace {

/// A model with all its weights, outside of any engine.
struct Alone {
    explicit Alone(const Shape& shape) : model(shape) {
        const dszero::Layout& layout = model.layout();
        for (std::size_t p = 0; p < layout.parameters.size(); ++p) {
            weights.emplace_back(layout.parameters[p].elements);
            gradients.emplace_back(layout.parameters[p].elements);
            layout.init(p, 0, weights[p]);
        }
    }

    Tensors of(const Tensors& all, const Layer& layer) const {
        Tensors some;
        for (const std::size_t p : model.layout().modules[layer.module].parameters) some.push_back(all[p]);
        return some;
    }
    Pass forward(const Sequences& sequences, unsigned threads = 1) {
        dszero::ThreadPool pool(threads);
        Pass pass{.sequences = sequences, .pool = pool};
        for (const auto& layer : model.layers()) layer->forward(of(weights, *layer), pass);
        return pass;
    }
    /// Sets gradients.
    void backward(const Sequences& sequences, unsigned threads = 1) {
        dszero::ThreadPool pool(threads);
        Pass pass{.sequences = sequences, .pool = pool};
        for (const auto& layer : model.layers()) layer->forward(of(weights, *layer), pass);
        for (std::size_t i = model.layers().size(); i-- > 0;) {
            Layer& layer = *model.layers()[i];
            Tensors part = of(gradients, layer);
            layer.backward(of(weights, layer), part, pass);
            const auto& parameters = model.layout().modules[layer.module].parameters;
            for (std::size_t k = 0; k < parameters.size(); ++k) gradients[parameters[k]] = part[k];
        }
    }

    Gpt model;
    Tensors weights, gradients;  ///< by parameter
};

constexpr Shape small{.layers = 2, .heads = 2, .width = 8, .context = 5};

Sequences two_sequences() { return Text("to be or not to be").sequences(1, 2, small.context); }

}  // namespace

TEST_CASE("gpt: backward gives the slopes of forward, for weights of every kind") {
    Alone alone(small);
    const Sequences sequences = two_sequences();
    // larger than a model begins with, so that nothing is nearly linear
    for (std::vector<float>& tensor : alone.weights)
        for (std::size_t i = 0; i < tensor.size(); ++i)
            tensor[i] = 12 * tensor[i] + 0.2f * std::sin(static_cast<float>(i));
    for (std::vector<float>& norm : alone.weights)
        if (norm.size() == small.width && norm[0] > 5)
            for (float& value : norm) value /= 12;
    alone.backward(sequences);

    std::size_t checked = 0;
    for (std::size_t p = 0; p < alone.weights.size(); ++p) {
        // of the byte's rows those of "t", which is among the tokens and the targets
        const std::size_t first = p == 0 ? std::size_t{'t'} * small.width : 0;
        const std::size_t last = p == 0 ? first + small.width : alone.weights[p].size();
        for (std::size_t i = first; i < last; i += 3, ++checked) {
            float& weight = alone.weights[p][i];
            const float before = weight;
            const auto loss = [&](float shift) {
                weight = before + shift;
                return alone.forward(sequences).loss;
            };
            const float h = 0.02f;  // the error of this formula is of the order of h^4
            const double slope = (8 * (loss(h) - loss(-h)) - (loss(2 * h) - loss(-2 * h))) / (12 * double{h});
            weight = before;
            const double gradient = alone.gradients[p][i];
            INFO(alone.model.layout().parameters[p].name << '[' << i << "]: " << gradient << ", slope "
                                                         << slope);
            REQUIRE(std::abs(gradient - slope) < 2e-4 + 2e-3 * std::abs(slope));
        }
    }
    CHECK(checked > 500);
}

TEST_CASE("gpt: a new model gives every byte about the same probability") {
    Alone alone({.layers = 3, .heads = 2, .width = 32, .context = 5});
    CHECK(std::abs(alone.forward(two_sequences()).loss - std::log(256.0)) < 0.1);
}

TEST_CASE("gpt: a token knows nothing of those after it") {
    Sequences sequences = two_sequences();
    const std::vector<float> before = Alone(small).forward(sequences).x;
    sequences.tokens[3] = 'x';
    const std::vector<float> after = Alone(small).forward(sequences).x;
    for (std::size_t i = 0; i < before.size(); ++i) {
        const std::size_t token = i / small.width;
        INFO("token " << token);
        CHECK((before[i] == after[i]) == (token != 3 && token != 4));
    }
}

TEST_CASE("gpt: threads do not change a bit") {
    const Shape shape{.layers = 1, .heads = 2, .width = 16, .context = 50};
    const Sequences sequences = Text(std::string(3000, 'a') + std::string(3000, 'b')).sequences(7, 5, 50);
    Alone one(shape), three(shape);
    one.backward(sequences, 1);
    three.backward(sequences, 3);
    CHECK(one.gradients == three.gradients);
}

TEST_CASE("gpt: initial values are the same, in whatever pieces they are made") {
    const Gpt model(small);
    const dszero::Layout& layout = model.layout();
    std::vector<float> whole(layout.parameters[0].elements), pieces(whole.size());
    layout.init(0, 0, whole);
    for (std::size_t i = 0; i < pieces.size(); i += 7)
        layout.init(0, i, std::span(pieces).subspan(i, std::min<std::size_t>(7, pieces.size() - i)));
    CHECK(whole == pieces);
}

TEST_CASE("gpt: a shape that cannot be is an error") {
    CHECK_THROWS_AS(Gpt({.heads = 3, .width = 64}), std::invalid_argument);
    CHECK_THROWS_AS(Gpt({.layers = 0}), std::invalid_argument);
}

TEST_CASE("text: the entropy of bytes by their frequency") {
    CHECK(Text("aabb").unigram_entropy() == Approx(std::log(2.0)));
    CHECK(Text("abcd").unigram_entropy() == Approx(std::log(4.0)));
    CHECK(Text("aaaa").unigram_entropy() == Approx(0).margin(1e-12));
}

TEST_CASE("text: a target is the byte after its token") {
    std::string bytes;
    for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
    const Sequences drawn = Text(bytes).sequences(3, 20, 9);
    REQUIRE(drawn.tokens.size() == 180);
    for (std::size_t i = 0; i < drawn.tokens.size(); ++i) CHECK(drawn.targets[i] == drawn.tokens[i] + 1);
}

TEST_CASE("text: sequences are the same, one by one or together") {
    const Text text("a text that is not very long, but long enough for this");
    CHECK(text.sequences(4, 2, 8).tokens.size() == 16);
    std::vector<std::uint8_t> both = text.sequences(4, 1, 8).tokens;
    for (const std::uint8_t byte : text.sequences(5, 1, 8).tokens) both.push_back(byte);
    CHECK(both == text.sequences(4, 2, 8).tokens);
}

TEST_CASE("text: one that is too short, and a file that is not there, are errors") {
    CHECK_THROWS_AS(Text("abc").sequences(0, 1, 3), std::invalid_argument);
    CHECK_THROWS_AS(Text::read({"/no/such/file"}), std::system_error);
}
