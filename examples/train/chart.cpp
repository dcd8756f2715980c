// SPDX-License-Identifier: MIT
//
// Two panels of SVG: stacked bars and curves. Colours are Okabe and Ito's, which the
// colour-blind can tell apart.
#include "report.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <fstream>
#include <string_view>
#include <system_error>
#include <utility>

namespace gpt {

namespace {

constexpr std::array<std::string_view, dszero::purpose_count> purpose_colors = {
    "#0072B2", "#E69F00", "#009E73", "#56B4E9", "#CC79A7", "#D55E00", "#999999"};
constexpr std::array<std::string_view, 6> curve_colors = {"#0072B2", "#D55E00", "#009E73",
                                                          "#CC79A7", "#E69F00", "#56B4E9"};

std::string rounded(double number, int decimals) {
    char text[32];
    std::snprintf(text, sizeof(text), "%.*f", decimals, number);
    return text;
}

/// The text of an SVG document.
class Svg {
public:
    Svg(double width, double height) {
        text_ = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + rounded(width, 0) + ' ' +
                rounded(height, 0) + "\" width=\"" + rounded(width, 0) + "\" height=\"" + rounded(height, 0) +
                "\" font-family=\"sans-serif\" font-size=\"13\">\n";
        rectangle(0, 0, width, height, "#FFFFFF");
    }

    void rectangle(double x, double y, double width, double height, std::string_view color) {
        element("rect", {{"x", x}, {"y", y}, {"width", width}, {"height", height}}, fill(color));
    }
    void line(double x1, double y1, double x2, double y2, const std::string& style) {
        element("line", {{"x1", x1}, {"y1", y1}, {"x2", x2}, {"y2", y2}}, style);
    }
    void curve(const std::string& points, std::string_view color) {
        element("polyline", {},
                " points=\"" + points + "\" fill=\"none\" stroke-width=\"2\"" + stroke(color));
    }
    /// `anchor`: start, middle, end.
    void text(double x, double y, std::string_view anchor, std::string_view what,
              const std::string& style = {}) {
        text_ += "<text x=\"" + rounded(x, 1) + "\" y=\"" + rounded(y, 1) + "\" text-anchor=\"" +
                 std::string(anchor) + '"' + style + '>';
        for (const char c : what) text_ += c == '<' ? "&lt;" : c == '&' ? "&amp;" : std::string(1, c);
        text_ += "</text>\n";
    }

    static std::string fill(std::string_view color) { return attribute("fill", color); }
    static std::string stroke(std::string_view color) { return attribute("stroke", color); }
    static std::string attribute(std::string_view name, std::string_view value) {
        return ' ' + std::string(name) + "=\"" + std::string(value) + '"';
    }
    std::string finished() const { return text_ + "</svg>\n"; }

private:
    void element(const char* name, std::initializer_list<std::pair<const char*, double>> numbers,
                 const std::string& style) {
        text_ += std::string("<") + name;
        for (const auto& [key, value] : numbers) text_ += attribute(key, rounded(value, 1));
        text_ += style + "/>\n";
    }

    std::string text_;
};

/// Where a panel's values are drawn, and its y axis.
struct Panel {
    double left, width;
    double top = 60, height = 300;
    double lowest = 0, highest = 1;  ///< at the bottom and at the top

    double bottom() const { return top + height; }
    double y(double value) const { return bottom() - height * (value - lowest) / (highest - lowest); }

    /// A line and a number at each of about five round values; `highest` becomes one of them.
    void draw_axis(Svg& svg, std::string_view title) {
        const double rough = (highest - lowest) / 5, power = std::pow(10, std::floor(std::log10(rough)));
        const double step = power * (rough <= power       ? 1
                                     : rough <= 2 * power ? 2
                                     : rough <= 5 * power ? 5
                                                          : 10);
        lowest = step * std::floor(lowest / step);
        highest = step * std::ceil(highest / step);
        svg.text(left, top - 28, "start", title, Svg::attribute("font-weight", "bold"));
        for (double value = lowest; value < highest + step / 2; value += step) {
            svg.line(left, y(value), left + width, y(value), Svg::stroke("#DDDDDD"));
            svg.text(left - 8, y(value) + 4, "end", rounded(value, step < 0.99 ? step < 0.099 ? 2 : 1 : 0));
        }
    }
    void draw_base(Svg& svg) const {
        svg.line(left, bottom(), left + width, bottom(), Svg::stroke("#333333"));
    }
};

struct Unit {
    const char* name;
    double bytes;
};
Unit unit_for(std::size_t bytes) {
    static constexpr Unit units[] = {{"GiB", 0x1p30}, {"MiB", 0x1p20}, {"KiB", 0x1p10}, {"bytes", 1}};
    return *std::find_if(std::begin(units), std::end(units) - 1,
                         [bytes](const Unit& unit) { return static_cast<double>(bytes) >= unit.bytes; });
}

/// A tier that any run uses has a bar in all of them.
std::vector<std::size_t> used_tiers(const std::vector<Run>& runs) {
    std::vector<std::size_t> used;
    for (std::size_t t = 0; t < dszero::tier_count; ++t)
        if (std::any_of(runs.begin(), runs.end(),
                        [t](const Run& run) { return fullest(run).tiers[t].total.peak_bytes != 0; }))
            used.push_back(t);
    return used;
}

void draw_memory(Svg& svg, Panel panel, const std::vector<Run>& runs) {
    const std::vector<std::size_t> tiers = used_tiers(runs);
    // purposes reach their peaks at different moments, so a bar of these peaks may be higher than the total's
    const auto height_of = [](const dszero::MemoryReport::OfTier& tier) {
        std::size_t bytes = 0;
        for (const dszero::Usage& usage : tier.by_purpose) bytes += usage.peak_bytes;
        return bytes;
    };
    std::size_t highest = 1;
    for (const Run& run : runs)
        for (const auto& tier : fullest(run).tiers) highest = std::max(highest, height_of(tier));
    const Unit unit = unit_for(highest);
    panel.highest = static_cast<double>(highest) / unit.bytes;
    panel.draw_axis(svg, "Memory of the fullest rank, at its peak (" + std::string(unit.name) + ')');

    std::array<bool, dszero::purpose_count> seen{};
    const double group = panel.width / static_cast<double>(runs.size());
    const double bar = 0.7 * group / static_cast<double>(tiers.size());
    for (std::size_t r = 0; r < runs.size(); ++r) {
        double x = panel.left + (static_cast<double>(r) + 0.15) * group;
        for (const std::size_t t : tiers) {
            const auto& tier = fullest(runs[r]).tiers[t];
            double base = 0;
            for (std::size_t p = 0; p < dszero::purpose_count; ++p) {
                const double value = static_cast<double>(tier.by_purpose[p].peak_bytes) / unit.bytes;
                if (value == 0) continue;
                svg.rectangle(x + 1, panel.y(base + value), bar - 2, panel.y(base) - panel.y(base + value),
                              purpose_colors[p]);
                base += value;
                seen[p] = true;
            }
            if (base > 0)
                svg.text(x + bar / 2, panel.y(base) - 5, "middle", rounded(base, 2),
                         Svg::attribute("font-size", "11"));
            if (tiers.size() > 1)
                svg.text(x + bar / 2, panel.bottom() + 14, "middle", to_string(static_cast<dszero::Tier>(t)),
                         Svg::attribute("font-size", "10"));
            x += bar;
        }
        svg.text(panel.left + (static_cast<double>(r) + 0.5) * group,
                 panel.bottom() + (tiers.size() > 1 ? 30 : 18), "middle", runs[r].name);
    }
    panel.draw_base(svg);

    double x = panel.left, y = panel.bottom() + 58;
    for (std::size_t p = 0; p < dszero::purpose_count; ++p) {
        if (!seen[p]) continue;
        svg.rectangle(x, y - 10, 12, 12, purpose_colors[p]);
        svg.text(x + 18, y, "start", to_string(static_cast<dszero::Purpose>(p)));
        x += 130;
        if (x + 100 > panel.left + panel.width) x = panel.left, y += 20;
    }
}

void draw_losses(Svg& svg, Panel panel, const std::vector<Run>& runs, double unigram_entropy) {
    panel.lowest = panel.highest = unigram_entropy;
    std::size_t steps = 2;
    for (const Run& run : runs) {
        const auto [low, high] = std::minmax_element(run.losses.begin(), run.losses.end());
        panel.lowest = std::min(panel.lowest, *low);
        panel.highest = std::max(panel.highest, *high);
        steps = std::max(steps, run.losses.size());
    }
    panel.draw_axis(svg, "Loss (nats per byte)");
    const auto x_of = [&](std::size_t step) {
        return panel.left + panel.width * static_cast<double>(step - 1) / static_cast<double>(steps - 1);
    };
    svg.text(x_of(1), panel.bottom() + 18, "middle", "1");
    svg.text(x_of(steps), panel.bottom() + 18, "middle", std::to_string(steps));
    svg.text(panel.left + panel.width / 2, panel.bottom() + 18, "middle", "step");

    const std::string dashed = Svg::stroke("#333333") + Svg::attribute("stroke-dasharray", "6 4");
    const double y = panel.y(unigram_entropy);
    svg.line(panel.left, y, panel.left + panel.width, y, dashed);

    // runs whose losses are the same share a curve
    std::vector<std::pair<const Run*, std::string>> curves;
    for (const Run& run : runs) {
        const auto same = std::find_if(curves.begin(), curves.end(),
                                       [&](const auto& curve) { return curve.first->losses == run.losses; });
        if (same == curves.end())
            curves.emplace_back(&run, run.name);
        else
            same->second += " = " + run.name;
    }
    double legend = panel.bottom() + 58;
    for (std::size_t c = 0; c < curves.size(); ++c) {
        const std::string_view color = curve_colors[c % curve_colors.size()];
        std::string points;
        const std::vector<double>& losses = curves[c].first->losses;
        for (std::size_t s = 0; s < losses.size(); ++s)
            points += rounded(x_of(s + 1), 1) + ',' + rounded(panel.y(losses[s]), 1) + ' ';
        svg.curve(points, color);
        svg.rectangle(panel.left, legend - 6, 24, 3, color);
        svg.text(panel.left + 32, legend, "start", curves[c].second);
        legend += 20;
    }
    svg.line(panel.left, legend - 5, panel.left + 24, legend - 5, dashed);
    svg.text(panel.left + 32, legend, "start",
             "bytes alone, by their frequency: " + rounded(unigram_entropy, 2));
    panel.draw_base(svg);
}

}  // namespace

void write_chart(const std::string& path, const std::vector<Run>& runs, double unigram_entropy) {
    const std::size_t bars = runs.size() * used_tiers(runs).size();
    const Panel memory{.left = 60, .width = std::max(420.0, 42.0 * static_cast<double>(bars))};
    const Panel losses{.left = memory.left + memory.width + 80, .width = 420};
    Svg svg(losses.left + losses.width + 30, memory.bottom() + 110);
    draw_memory(svg, memory, runs);
    draw_losses(svg, losses, runs, unigram_entropy);
    std::ofstream out(path, std::ios::binary);
    out << svg.finished() << std::flush;
    if (!out) throw std::system_error(errno, std::generic_category(), "write " + path);
}

}  // namespace gpt
