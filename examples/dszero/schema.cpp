// SPDX-License-Identifier: MIT
//
// dszero schema: what a ds_config.json may hold, for editors and for people.
#include "command.hpp"

#include <dszero/config/json_schema.hpp>
#include <dszero/config/markdown.hpp>

#include <algorithm>

namespace dszero::tool {

Status schema(const Options& options, Output& output) {
    const Release release = std::min(options.release, newest_release);
    if (options.format == "markdown")
        output.write(markdown(release));
    else
        output.write(write_json(json_schema(release), JsonLayout::indented) + '\n');
    return Status::accepted;
}

}  // namespace dszero::tool
