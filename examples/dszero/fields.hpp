// SPDX-License-Identifier: MIT
//
// The effective fields of a document, as show and diff print them.
#pragma once

#include <dszero/config/effective.hpp>
#include <dszero/text/render.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace dszero::tool {

struct ShownField {
    EffectiveField field;
    std::string path;    ///< "offload_param.device"
    std::string value;   ///< for people; a section has none of its own
    std::string origin;  ///< "line 3", "default", "derived", "deprecated key cpu_offload at line 5"
};

/// Of zero_optimization.
std::vector<ShownField> shown_fields(const Document& document);

/// Of all the rest; none where the zero section alone was judged.
std::vector<ShownField> shown_document_fields(const Document& document);

/// {"kind": "file"|"default"|"derived"|"deprecated_key", "key": …, "line": …, "column": …}
/// The last three are null where nothing in the file gave the value.
std::string origin_json(const EffectiveField& field);

/// Lines of three columns: label, value, origin. A long value does not widen its column.
class Table {
public:
    void add(std::string label, const ShownField& row, std::string_view colour = {});
    std::string str(Style style) const;

private:
    struct Row {
        std::string label, value, origin;
        std::string_view colour;
    };
    std::vector<Row> rows_;
};

}  // namespace dszero::tool
