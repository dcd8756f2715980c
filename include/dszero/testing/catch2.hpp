// SPDX-License-Identifier: MIT
//
// A matcher for Catch2, 2.13 or 3, whose failure shows what `dszero check` would:
//
//     REQUIRE_THAT(dszero::load("ds_config.json"), dszero::is_accepted());
//
// prints, where DeepSpeed refuses the file, each problem at its line.
#pragma once

#if __has_include(<catch2/matchers/catch_matchers.hpp>)
#include <catch2/catch_tostring.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#else
#include <catch2/catch.hpp>
#endif

#include <dszero/config/document.hpp>

#include <string>

namespace dszero {

/// Where Catch2 keeps its base class, in either version.
namespace matchers {
using namespace Catch;
using namespace Catch::Matchers;
template <class T>
using Base = MatcherBase<T>;
}  // namespace matchers

class IsAccepted : public matchers::Base<Document> {
public:
    bool match(const Document& document) const override {
        problems_ = document.accepted() ? "" : render_text(document.source, document.diagnostics);
        return document.accepted();
    }
    std::string describe() const override {
        return "is accepted by DeepSpeed" + (problems_.empty() ? "" : "; but it is not:\n" + problems_);
    }

private:
    mutable std::string problems_;
};

/// Matches a Document that DeepSpeed, in the release that it was read for, accepts.
inline IsAccepted is_accepted() { return {}; }

}  // namespace dszero

/// A document is shown by its name and release.
template <>
struct Catch::StringMaker<dszero::Document> {
    static std::string convert(const dszero::Document& document) {
        return document.source.name + " (DeepSpeed " + document.release.str() + ")";
    }
};
