// SPDX-License-Identifier: MIT
#include "text.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace gpt {

Text Text::read(const std::vector<std::string>& paths) {
    namespace fs = std::filesystem;
    std::string bytes;
    for (const std::string& path : paths) {
        std::vector<fs::path> files;
        if (fs::is_directory(path)) {
            for (const auto& entry : fs::recursive_directory_iterator(path))
                if (entry.is_regular_file()) files.push_back(entry.path());
            std::sort(files.begin(), files.end());
        } else {
            files.push_back(path);
        }
        for (const fs::path& file : files) {
            std::ifstream in(file, std::ios::binary);
            if (!in) throw std::system_error(errno, std::generic_category(), "open " + file.string());
            bytes.append(std::istreambuf_iterator<char>(in), {});
            if (in.bad()) throw std::system_error(errno, std::generic_category(), "read " + file.string());
        }
    }
    return Text(std::move(bytes));
}

double Text::unigram_entropy() const {
    std::array<double, 256> counts{};
    for (const char byte : bytes_) ++counts[static_cast<unsigned char>(byte)];
    double entropy = 0;
    for (const double count : counts) {
        const double frequency = count / static_cast<double>(bytes_.size());
        if (count > 0) entropy -= frequency * std::log(frequency);
    }
    return entropy;
}

Sequences Text::sequences(std::uint64_t first, std::size_t count, std::size_t context) const {
    if (bytes_.size() <= context)
        throw std::invalid_argument("a text of " + std::to_string(bytes_.size()) +
                                    " bytes is too short for sequences of " + std::to_string(context));
    Sequences drawn;
    for (std::size_t i = 0; i < count; ++i) {
        std::mt19937_64 random(first + i);
        const char* begin = bytes_.data() + random() % (bytes_.size() - context);
        drawn.tokens.insert(drawn.tokens.end(), begin, begin + context);
        drawn.targets.insert(drawn.targets.end(), begin + 1, begin + context + 1);
    }
    return drawn;
}

}  // namespace gpt
