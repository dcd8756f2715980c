// SPDX-License-Identifier: MIT
//
// A small GPT over bytes: an embedding, blocks of attention and MLP, and a head that
// shares the embedding's matrix. It knows nothing of ranks or stages: a layer is handed
// its weights and room for their gradients, in fp32. The mathematics is in gpt.cpp.
#pragma once

#include <dszero/engine/threads/thread_pool.hpp>
#include <dszero/layout/parameters.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace gpt {

/// A layer's parameters, in the order of its module: weights, or their gradients.
using Tensors = std::vector<std::vector<float>>;

/// Sequences of the same length, one behind the other; a target is the byte that comes next.
struct Sequences {
    std::vector<std::uint8_t> tokens, targets;
};

/// What travels through the layers: first up, then down again.
struct Pass {
    const Sequences& sequences;
    dszero::ThreadPool& pool;
    std::vector<float> x{};    ///< tokens x width: activations; on the way down, the loss's gradient by them
    double loss = 0;           ///< of the last layer: the mean over tokens, in nats
    float backward_scale = 1;  ///< what the loss counts for in backward
};

/// Keeps from forward what its backward needs. Gradients are added to.
class Layer : public dszero::ModuleId {
public:
    virtual ~Layer() = default;
    virtual void forward(const Tensors& weights, Pass& pass) = 0;
    virtual void backward(const Tensors& weights, Tensors& gradients, Pass& pass) = 0;
};

struct Shape {
    std::size_t layers = 8;
    std::size_t heads = 4;
    std::size_t width = 48;    ///< a multiple of heads
    std::size_t context = 64;  ///< bytes of a sequence
};

/// One rank's model: layers without weights, and the layout that describes these.
class Gpt {
public:
    /// Throws std::invalid_argument for a shape that cannot be.
    explicit Gpt(const Shape& shape);

    const dszero::Layout& layout() const { return layout_; }
    const std::vector<std::unique_ptr<Layer>>& layers() const { return layers_; }  ///< bottom up

private:
    dszero::Layout layout_;
    std::vector<std::unique_ptr<Layer>> layers_;
};

}  // namespace gpt
