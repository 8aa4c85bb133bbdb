// SPDX-License-Identifier: MIT
#include "comparison/plot.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <string>
#include <vector>

namespace bench {
namespace {

// All lengths are in pixels.
constexpr double height = 420;
constexpr double top = 64;     // above the plot: title and subtitle
constexpr double bottom = 52;  // below it: categories and their label
constexpr double left = 78;    // of it: the axis
constexpr double names = 178;  // right of it: the names of the lines
constexpr double step = 80;    // between two categories, at least
constexpr double footer = 26;  // below all

/// Formats into a short text; the arguments are numbers.
template <class... Numbers>
std::string format(const char* pattern, Numbers... numbers) {
  char text[256];
  std::snprintf(text, sizeof text, pattern, numbers...);
  return text;
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string text_at(double x, double y, const char* classes, const std::string& text) {
  return format("<text x=\"%.1f\" y=\"%.1f\" class=\"%s\">", x, y, classes) + escaped(text) +
         "</text>\n";
}

/// A logarithmic axis that holds all points.
class Axis {
 public:
  Axis(const std::vector<Line>& lines, double from, double to) : from_{from}, to_{to} {
    least_ = 1e300;
    for (const Line& line : lines) {
      for (const Point& point : line.points) {
        if (point.value <= 0) continue;
        least_ = std::min({least_, point.value, point.least > 0 ? point.least : point.value});
        most_ = std::max({most_, point.value, point.most});
      }
    }
    if (most_ <= 0) least_ = most_ = 1;
    least_ /= 1.25;
    most_ *= 1.25;
  }

  [[nodiscard]] double place(double value) const {
    const double share = std::log(value / least_) / std::log(most_ / least_);
    return from_ + (to_ - from_) * share;
  }

  /// Round numbers on the axis: 1, 2, 5 and their like, or only powers of ten over many decades.
  [[nodiscard]] std::vector<double> ticks() const {
    const bool few = most_ / least_ > 2e4;
    std::vector<double> values;
    for (int power = static_cast<int>(std::floor(std::log10(least_))); power < 12; ++power) {
      for (const double digit : {1.0, 2.0, 5.0}) {
        const double value = digit * std::pow(10.0, power);
        if (value > most_) return values;
        if (value >= least_ && (!few || digit == 1.0)) values.push_back(value);
      }
    }
    return values;
  }

 private:
  double from_;
  double to_;
  double least_ = 0;
  double most_ = 0;
};

/// Marks tell the lines apart for whom the colours do not.
std::string mark(std::size_t kind, double x, double y, double size, const std::string& paint) {
  const double s = size;
  switch (kind % 5) {
    case 0: return format("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"", x, y, s) + paint + "/>\n";
    case 1:
      return format("<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"", x - s, y - s,
                    2 * s, 2 * s) +
             paint + "/>\n";
    case 2:
      return format("<path d=\"M%.1f %.1fl%.1f %.1fh%.1fz\"", x, y - 1.2 * s, 1.2 * s, 2.2 * s,
                    -2.4 * s) +
             paint + "/>\n";
    case 3:
      return format("<path d=\"M%.1f %.1fl%.1f %.1fl%.1f %.1fl%.1f %.1fz\"", x, y - 1.4 * s,
                    1.4 * s, 1.4 * s, -1.4 * s, 1.4 * s, -1.4 * s, -1.4 * s) +
             paint + "/>\n";
    default:
      return format("<path d=\"M%.1f %.1fh%.1fl%.1f %.1fz\"", x - 1.2 * s, y - s, 2.4 * s, -1.2 * s,
                    2.2 * s) +
             paint + "/>\n";
  }
}

/// A line's colour as a class, and its mark.
struct Look {
  std::string paint;
  std::size_t mark = 0;
};

std::vector<Look> looks_of(const std::vector<Line>& lines) {
  std::vector<Look> looks;
  std::size_t ours = 0;
  std::size_t peers = 0;
  for (const Line& line : lines) {
    const std::size_t number = line.ours ? ours++ % 2 : peers++ % 9;
    looks.push_back({format(line.ours ? "o%zu" : "p%zu", number), number});
  }
  return looks;
}

/// Names at the right end of the lines, moved apart where they would overlap.
std::string names_of(const Plot& plot, const std::vector<Look>& looks, const Axis& axis, double x) {
  struct Name {
    std::size_t line;
    double wanted;
    double y;
  };
  std::vector<Name> all;
  for (std::size_t i = 0; i < plot.lines.size(); ++i) {
    const auto& points = plot.lines[i].points;
    const auto last = std::find_if(points.rbegin(), points.rend(),
                                   [](const Point& point) { return point.value > 0; });
    if (last == points.rend()) continue;
    const double y = axis.place(last->value);
    all.push_back({i, y, y});
  }
  std::sort(all.begin(), all.end(),
            [](const Name& a, const Name& b) { return a.wanted < b.wanted; });
  constexpr double apart = 16;
  for (int round = 0; round < 200; ++round) {
    for (std::size_t i = 1; i < all.size(); ++i) {
      const double overlap = apart - (all[i].y - all[i - 1].y);
      if (overlap <= 0) continue;
      all[i - 1].y -= overlap / 2;
      all[i].y += overlap / 2;
    }
    for (Name& name : all) name.y = std::clamp(name.y, top, height - bottom);
  }
  std::string svg;
  for (const Name& name : all) {
    const Line& line = plot.lines[name.line];
    const Look& look = looks[name.line];
    svg += format("<path d=\"M%.1f %.1fL%.1f %.1f\" class=\"lead\"/>\n", x + 7, name.wanted, x + 20,
                  name.y);
    svg += mark(look.mark, x + 26, name.y, line.ours ? 4.5 : 3.5, " class=\"f" + look.paint + "\"");
    svg += text_at(x + 35, name.y + 4, line.ours ? "t us" : "t", line.name);
  }
  return svg;
}

double width_of(const Plot& plot) {
  const double inner = std::max(step * static_cast<double>(plot.categories.size()), 240.0);
  return left + inner + names;
}

std::string draw(const Plot& plot, double x0) {
  const double right = x0 + width_of(plot) - names;
  const Axis axis{plot.lines, height - bottom, top};
  const auto x_of = [&](std::size_t i) {
    const double each = (right - x0 - left) / static_cast<double>(plot.categories.size());
    return x0 + left + each * (static_cast<double>(i) + 0.5);
  };
  std::string svg = text_at(x0 + 14, 26, "title", plot.title);
  svg += text_at(x0 + 14, 45, "t sub", plot.subtitle);
  for (const double tick : axis.ticks()) {
    const double y = axis.place(tick);
    svg += format("<path d=\"M%.1f %.1fH%.1f\" class=\"grid\"/>\n", x0 + left, y, right);
    svg += text_at(x0 + left - 8, y + 4, "t end", format("%.12g", tick) + plot.unit);
  }
  for (std::size_t i = 0; i < plot.categories.size(); ++i) {
    svg += text_at(x_of(i), height - bottom + 20, "t mid", plot.categories[i]);
  }
  svg += text_at((x0 + left + right) / 2, height - bottom + 40, "t sub mid", plot.x_label);

  const std::vector<Look> looks = looks_of(plot.lines);
  double last_x = right;
  // Ours last, so that they lie on top.
  for (const bool ours : {false, true}) {
    for (std::size_t n = 0; n < plot.lines.size(); ++n) {
      const Line& line = plot.lines[n];
      if (line.ours != ours) continue;
      std::string path;
      std::string marks;
      for (std::size_t i = 0; i < line.points.size(); ++i) {
        const Point& point = line.points[i];
        if (point.value <= 0) continue;
        const double y = axis.place(point.value);
        path += format(path.empty() ? "M%.1f %.1f" : "L%.1f %.1f", x_of(i), y);
        if (point.least > 0 && point.most > point.least) {
          marks += format("<path d=\"M%.1f %.1fV%.1f\"", x_of(i), axis.place(point.least),
                          axis.place(point.most)) +
                   " class=\"range s" + looks[n].paint + "\"/>\n";
        }
        marks +=
            mark(looks[n].mark, x_of(i), y, ours ? 4.5 : 3.5, " class=\"f" + looks[n].paint + "\"");
        last_x = x_of(i);
      }
      svg += "<path d=\"" + path + "\" class=\"line" + (ours ? " thick" : "") + " s" +
             looks[n].paint + "\"/>\n" + marks;
    }
  }
  return svg + names_of(plot, looks, axis, last_x);
}

/// Colours after Okabe and Ito and their like, of middling lightness; those of text and ground follow
/// the page.
constexpr const char* style = R"(<style>
.ground{fill:#ffffff}.t,.title{font:13px system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif;fill:#1f2328}
.title{font-size:16px;font-weight:600}.sub{fill:#59636e}.us{font-weight:700}
.end{text-anchor:end}.mid{text-anchor:middle}
.grid{stroke:#d1d9e0;stroke-width:1}.lead{stroke:#9aa4ae;stroke-width:1;fill:none}
.line{fill:none;stroke-width:1.6;stroke-linejoin:round}.thick{stroke-width:3.2}
.range{stroke-width:1.4;opacity:.4}
.so0{stroke:#d1242f}.fo0{fill:#d1242f}.so1{stroke:#e8830c}.fo1{fill:#e8830c}
.sp0{stroke:#7d8590}.fp0{fill:#7d8590}.sp1{stroke:#0072b2}.fp1{fill:#0072b2}
.sp2{stroke:#3fa7d6}.fp2{fill:#3fa7d6}.sp3{stroke:#009e73}.fp3{fill:#009e73}
.sp4{stroke:#a05cc4}.fp4{fill:#a05cc4}.sp5{stroke:#b08d00}.fp5{fill:#b08d00}
.sp6{stroke:#8c6239}.fp6{fill:#8c6239}.sp7{stroke:#cc6fa6}.fp7{fill:#cc6fa6}
.sp8{stroke:#5a7d2b}.fp8{fill:#5a7d2b}
@media (prefers-color-scheme:dark){.ground{fill:#0d1117}.t,.title{fill:#e6edf3}.sub{fill:#9198a1}
.grid{stroke:#30363d}.lead{stroke:#6e7681}.so0{stroke:#ff6b6b}.fo0{fill:#ff6b6b}
.sp1{stroke:#4aa3df}.fp1{fill:#4aa3df}.sp2{stroke:#8fd0ee}.fp2{fill:#8fd0ee}.sp6{stroke:#bf9265}.fp6{fill:#bf9265}
.sp3{stroke:#2fc49b}.fp3{fill:#2fc49b}.sp8{stroke:#8fb956}.fp8{fill:#8fb956}}
</style>
)";

}  // namespace

std::string to_svg(const std::vector<Plot>& plots, const std::string& note) {
  double width = 0;
  for (const Plot& plot : plots) width += width_of(plot);
  std::string svg = format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" "
      "height=\"%.0f\" role=\"img\">\n",
      width, height + footer, width, height + footer);
  svg += "<title>" + escaped(plots.empty() ? note : plots.front().title) + "</title>\n";
  svg += style;
  svg += "<rect class=\"ground\" width=\"100%\" height=\"100%\" rx=\"6\"/>\n";
  double x = 0;
  for (const Plot& plot : plots) {
    svg += draw(plot, x);
    x += width_of(plot);
  }
  svg += text_at(14, height + 12, "t sub", note);
  return svg + "</svg>\n";
}

}  // namespace bench
