// SPDX-License-Identifier: MIT
//
// GPT-2's arithmetic, forward and backward. A matrix has a row per token; products are
// Eigen's. First the pieces, each with the few values that its backward needs, then the
// layers that are made of them, then the model.
#include "gpt.hpp"

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>

namespace gpt {

namespace {

using Eigen::Index;
using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Column = Eigen::VectorXf;

constexpr Index vocabulary = 256;

// Parameters and activations, seen as what they are.
auto matrix(const std::vector<float>& values, Index columns) {
    return Eigen::Map<const Matrix>(values.data(), static_cast<Index>(values.size()) / columns, columns);
}
auto matrix(std::vector<float>& values, Index columns) {
    return Eigen::Map<Matrix>(values.data(), static_cast<Index>(values.size()) / columns, columns);
}
auto row(const std::vector<float>& values) {
    return Eigen::Map<const Eigen::RowVectorXf>(values.data(), static_cast<Index>(values.size()));
}
auto row(std::vector<float>& values) {
    return Eigen::Map<Eigen::RowVectorXf>(values.data(), static_cast<Index>(values.size()));
}

/// sum += a b, by blocks of rows for the threads of a pool. The blocks are always the same, and so are the
/// bits.
template <class Sum, class A, class B>
void add_product(dszero::ThreadPool& pool, Sum&& sum, const A& a, const B& b) {
    pool.parallel_for(
        static_cast<std::size_t>(sum.rows()),
        [&](std::size_t first, std::size_t count) {
            const auto from = static_cast<Index>(first), rows = static_cast<Index>(count);
            sum.middleRows(from, rows).noalias() += a.middleRows(from, rows) * b;
        },
        64);
}

// ------------------------------------------------------------------- the pieces

/// y = x Wᵀ + b. Its W and b are the parameters `at` and `at + 1` of the layer.
class Linear {
public:
    explicit Linear(std::size_t at) : at_(at) {}

    Matrix forward(const Tensors& w, Pass& pass, Matrix x) {
        x_ = std::move(x);
        Matrix y = row(w[at_ + 1]).replicate(x_.rows(), 1);
        add_product(pass.pool, y, x_, matrix(w[at_], x_.cols()).transpose());
        return y;
    }

    Matrix backward(const Tensors& w, Tensors& g, Pass& pass, const Matrix& dy) const {
        add_product(pass.pool, matrix(g[at_], x_.cols()), dy.transpose(), x_);
        row(g[at_ + 1]) += dy.colwise().sum();
        Matrix dx = Matrix::Zero(x_.rows(), x_.cols());
        add_product(pass.pool, dx, dy, matrix(w[at_], x_.cols()));
        return dx;
    }

private:
    std::size_t at_;
    Matrix x_;
};

/// n = (x - mean) / deviation for each token; y = w n + b.
class LayerNorm {
public:
    explicit LayerNorm(std::size_t at) : at_(at) {}

    Matrix forward(const Tensors& w, const Matrix& x) {
        n_ = x.colwise() - x.rowwise().mean();
        inverse_deviation_ = n_.rowwise().squaredNorm() / static_cast<float>(x.cols());
        for (float& value : inverse_deviation_) value = 1 / std::sqrt(value + 1e-5f);
        n_ = inverse_deviation_.asDiagonal() * n_;
        return (n_.array().rowwise() * row(w[at_]).array()).rowwise() + row(w[at_ + 1]).array();
    }

    Matrix backward(const Tensors& w, Tensors& g, const Matrix& dy) const {
        row(g[at_]) += dy.cwiseProduct(n_).colwise().sum();
        row(g[at_ + 1]) += dy.colwise().sum();
        // dn, less what mean and deviation take away: its parts along 1 and along n
        Matrix dx = dy.array().rowwise() * row(w[at_]).array();
        const Column along_n = dx.cwiseProduct(n_).rowwise().mean();
        dx.colwise() -= dx.rowwise().mean().eval();
        dx -= along_n.asDiagonal() * n_;
        return inverse_deviation_.asDiagonal() * dx;
    }

private:
    std::size_t at_;
    Matrix n_;
    Column inverse_deviation_;
};

/// y = x Φ(x), Φ by GPT-2's approximation: (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2.
class Gelu {
public:
    Matrix forward(Matrix x) {
        x_ = std::move(x);
        tanh_ = (slope * (x_.array() + cubic * x_.array().cube())).tanh();
        return 0.5f * x_.array() * (1 + tanh_.array());
    }

    Matrix backward(const Matrix& dy) const {
        const auto x = x_.array(), t = tanh_.array();
        return dy.array() * 0.5f * (1 + t + x * (1 - t.square()) * slope * (1 + 3 * cubic * x.square()));
    }

private:
    static constexpr float slope = 0.7978845608f;
    static constexpr float cubic = 0.044715f;
    Matrix x_, tanh_;
};

/// Each token looks at itself and those before it, head by head: y = softmax(q kᵀ / √d) v. A row of the input
/// has q, k and v of all heads.
class Attention {
    float scale() const { return 1 / std::sqrt(static_cast<float>(width_ / heads_)); }

    /// Calls f(i), i counting the heads of all sequences.
    template <class F>
    void for_each_head(Pass& pass, const F& f) const {
        pass.pool.parallel_for(
            softmax_.size(),
            [&](std::size_t first, std::size_t count) {
                for (std::size_t i = first; i < first + count; ++i) f(i);
            },
            1);
    }
    /// Of one head, q (0), k (1) or v (2).
    template <class M>
    auto part(M& m, std::size_t i, Index which) const {
        const Index sequence = static_cast<Index>(i) / heads_, head = static_cast<Index>(i) % heads_;
        const Index d = width_ / heads_;
        return m.block(sequence * context_, which * width_ + head * d, context_, d);
    }

public:
    explicit Attention(const Shape& shape)
        : heads_(static_cast<Index>(shape.heads)),
          width_(static_cast<Index>(shape.width)),
          context_(static_cast<Index>(shape.context)) {}

    Matrix forward(Pass& pass, Matrix qkv) {
        qkv_ = std::move(qkv);
        softmax_.resize(static_cast<std::size_t>(qkv_.rows() / context_ * heads_));
        Matrix y(qkv_.rows(), width_);
        for_each_head(pass, [&](std::size_t i) {
            Matrix& p = softmax_[i];
            p.noalias() = part(qkv_, i, 0) * part(qkv_, i, 1).transpose();
            for (Index t = 0; t < context_; ++t) {
                auto past = p.row(t).head(t + 1);
                past = ((past.array() - past.maxCoeff()) * scale()).exp();
                past /= past.sum();
                p.row(t).tail(context_ - t - 1).setZero();
            }
            part(y, i, 0).noalias() = p * part(qkv_, i, 2);
        });
        return y;
    }

    Matrix backward(Pass& pass, const Matrix& dy) const {
        Matrix dqkv(qkv_.rows(), qkv_.cols());
        for_each_head(pass, [&](std::size_t i) {
            const Matrix& p = softmax_[i];
            Matrix ds = part(dy, i, 0) * part(qkv_, i, 2).transpose();
            ds = p.cwiseProduct(ds.colwise() - p.cwiseProduct(ds).rowwise().sum().eval()) * scale();
            part(dqkv, i, 0).noalias() = ds * part(qkv_, i, 1);
            part(dqkv, i, 1).noalias() = ds.transpose() * part(qkv_, i, 0);
            part(dqkv, i, 2).noalias() = p.transpose() * part(dy, i, 0);
        });
        return dqkv;
    }

private:
    Index heads_, width_, context_;
    Matrix qkv_;
    std::vector<Matrix> softmax_;  ///< by sequence and head
};

// ------------------------------------------------------------------- the layers

/// x = token's row + position's row. Parameters: both matrices.
class Embedding final : public Layer {
public:
    explicit Embedding(const Shape& shape) : width_(static_cast<Index>(shape.width)) {}

    void forward(const Tensors& w, Pass& pass) override {
        pass.x.resize(pass.sequences.tokens.size() * static_cast<std::size_t>(width_));
        auto x = matrix(pass.x, width_);
        for_each_token(pass, w[1].size(), [&](Index i, Index token, Index position) {
            x.row(i) = matrix(w[0], width_).row(token) + matrix(w[1], width_).row(position);
        });
    }

    void backward(const Tensors& w, Tensors& g, Pass& pass) override {
        const auto dx = matrix(pass.x, width_);
        for_each_token(pass, w[1].size(), [&](Index i, Index token, Index position) {
            matrix(g[0], width_).row(token) += dx.row(i);
            matrix(g[1], width_).row(position) += dx.row(i);
        });
    }

private:
    template <class F>
    void for_each_token(const Pass& pass, std::size_t position_elements, const F& f) const {
        const std::size_t context = position_elements / static_cast<std::size_t>(width_);
        for (std::size_t i = 0; i < pass.sequences.tokens.size(); ++i)
            f(static_cast<Index>(i), pass.sequences.tokens[i], static_cast<Index>(i % context));
    }

    Index width_;
};

/// x += attention(norm(x)); x += mlp(norm(x)). Parameters: two for each piece with weights, in this order.
class Block final : public Layer {
public:
    explicit Block(const Shape& shape) : width_(static_cast<Index>(shape.width)), attention_(shape) {}

    void forward(const Tensors& w, Pass& pass) override {
        auto x = matrix(pass.x, width_);
        Matrix y = to_qkv_.forward(w, pass, norm1_.forward(w, x));
        x += from_heads_.forward(w, pass, attention_.forward(pass, std::move(y)));
        y = widen_.forward(w, pass, norm2_.forward(w, x));
        x += narrow_.forward(w, pass, gelu_.forward(std::move(y)));
    }

    void backward(const Tensors& w, Tensors& g, Pass& pass) override {
        auto dx = matrix(pass.x, width_);
        Matrix dy = gelu_.backward(narrow_.backward(w, g, pass, dx));
        dx += norm2_.backward(w, g, widen_.backward(w, g, pass, dy));
        dy = attention_.backward(pass, from_heads_.backward(w, g, pass, dx));
        dx += norm1_.backward(w, g, to_qkv_.backward(w, g, pass, dy));
    }

private:
    Index width_;
    LayerNorm norm1_{0};
    Linear to_qkv_{2};
    Attention attention_;
    Linear from_heads_{4};
    LayerNorm norm2_{6};
    Linear widen_{8};
    Gelu gelu_;
    Linear narrow_{10};
};

/// Cross-entropy of softmax(norm(x) Eᵀ), E the embedding's matrix. Parameters: the norm's, and E.
class Head final : public Layer {
public:
    explicit Head(const Shape& shape) : width_(static_cast<Index>(shape.width)) {}

    void forward(const Tensors& w, Pass& pass) override {
        const auto& targets = pass.sequences.targets;
        n_ = norm_.forward(w, matrix(pass.x, width_));
        softmax_ = Matrix::Zero(n_.rows(), vocabulary);
        add_product(pass.pool, softmax_, n_, matrix(w[2], width_).transpose());
        double sum = 0;
        for (Index i = 0; i < softmax_.rows(); ++i) {
            auto p = softmax_.row(i);
            p = (p.array() - p.maxCoeff()).exp();
            p /= p.sum();
            // a probability may round to zero, its logarithm must not be infinite
            sum -= std::log(std::max(p[targets[static_cast<std::size_t>(i)]], 1e-30f));
        }
        pass.loss = sum / static_cast<double>(targets.size());
    }

    void backward(const Tensors& w, Tensors& g, Pass& pass) override {
        const auto& targets = pass.sequences.targets;
        Matrix& dy = softmax_;  // it is not needed again
        for (Index i = 0; i < dy.rows(); ++i) dy(i, targets[static_cast<std::size_t>(i)]) -= 1;
        dy *= pass.backward_scale / static_cast<float>(targets.size());
        add_product(pass.pool, matrix(g[2], width_), dy.transpose(), n_);
        Matrix dn = Matrix::Zero(n_.rows(), n_.cols());
        add_product(pass.pool, dn, dy, matrix(w[2], width_));
        matrix(pass.x, width_) = norm_.backward(w, g, dn);
    }

private:
    Index width_;
    LayerNorm norm_{0};
    Matrix n_, softmax_;
};

// -------------------------------------------------------------------- the model

/// About normal: the sum of four uniform numbers, hashed (splitmix64) from where the element is. So every
/// rank can make any part of a parameter, and all ranks and stages begin alike.
float random_normal(std::uint64_t parameter, std::uint64_t element) {
    std::uint64_t h = (parameter << 40) + element + 0x9e3779b97f4a7c15u;
    h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9u;
    h = (h ^ (h >> 27)) * 0x94d049bb133111ebu;
    h ^= h >> 31;
    std::int64_t sum = 0;
    for (int i = 0; i < 4; ++i) sum += static_cast<std::int64_t>((h >> (16 * i)) & 0xffff) - 0x7fff;
    return static_cast<float>(static_cast<double>(sum) / 65536 * std::sqrt(3.0));
}

/// What a parameter begins as.
struct Initial {
    float mean = 0;
    float deviation = 0;
};

void check(const Shape& shape) {
    if (shape.layers == 0 || shape.heads == 0 || shape.width == 0 || shape.context == 0)
        throw std::invalid_argument("layers, heads, width and context must be greater than 0");
    if (shape.width % shape.heads != 0)
        throw std::invalid_argument("width " + std::to_string(shape.width) + " must be a multiple of the " +
                                    std::to_string(shape.heads) + " heads");
}

}  // namespace

Gpt::Gpt(const Shape& shape) {
    check(shape);
    const std::size_t c = shape.width;
    std::vector<Initial> initial;
    std::vector<std::size_t> decayed, not_decayed;
    const auto add = [&](std::string name, std::vector<std::size_t> extents, Initial values) {
        auto& group = extents.size() > 1 ? decayed : not_decayed;  // matrices decay, biases and norms do not
        initial.push_back(values);
        group.push_back(layout_.add_parameter(std::move(name), std::move(extents)));
        return initial.size() - 1;
    };
    const auto add_linear = [&](std::vector<std::size_t>& to, const std::string& name, std::size_t out,
                                std::size_t in, float deviation) {
        to.push_back(add(name + ".weight", {out, in}, {0, deviation}));
        to.push_back(add(name + ".bias", {out}, {}));
    };
    const auto add_norm = [&](std::vector<std::size_t>& to, const std::string& name) {
        to.push_back(add(name + ".weight", {c}, {.mean = 1}));
        to.push_back(add(name + ".bias", {c}, {}));
    };
    const auto add_layer = [&](std::unique_ptr<Layer> layer, std::string name,
                               std::vector<std::size_t> parameters) {
        static_cast<dszero::ModuleId&>(*layer) = layout_.add_module(std::move(name), std::move(parameters));
        layers_.push_back(std::move(layer));
    };

    // every block adds to x twice: what it adds begins small
    const float deviation = 0.02f, last = deviation / std::sqrt(2 * static_cast<float>(shape.layers));
    const std::size_t tokens = add("embedding.token", {vocabulary, c}, {0, deviation});
    const std::size_t positions = add("embedding.position", {shape.context, c}, {0, deviation});
    add_layer(std::make_unique<Embedding>(shape), "embedding", {tokens, positions});
    for (std::size_t i = 0; i < shape.layers; ++i) {
        const std::string name = "block" + std::to_string(i);
        std::vector<std::size_t> parameters;
        add_norm(parameters, name + ".norm1");
        add_linear(parameters, name + ".to_qkv", 3 * c, c, deviation);
        add_linear(parameters, name + ".from_heads", c, c, last);
        add_norm(parameters, name + ".norm2");
        add_linear(parameters, name + ".widen", 4 * c, c, deviation);
        add_linear(parameters, name + ".narrow", c, 4 * c, last);
        add_layer(std::make_unique<Block>(shape), name, parameters);
    }
    std::vector<std::size_t> of_head;
    add_norm(of_head, "head.norm");
    of_head.push_back(tokens);  // shared: its gradient has two parts
    add_layer(std::make_unique<Head>(shape), "head", of_head);

    layout_.add_group(decayed);
    layout_.add_group(not_decayed, std::nullopt, 0.0);
    layout_.init = [initial](std::size_t parameter, std::size_t offset, std::span<float> values) {
        const auto [mean, spread] = initial[parameter];
        for (std::size_t i = 0; i < values.size(); ++i)
            values[i] = mean + (spread == 0 ? 0 : spread * random_normal(parameter, offset + i));
    };
}

}  // namespace gpt
