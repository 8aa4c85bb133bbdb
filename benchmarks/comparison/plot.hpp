// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Plots as SVG text, with nothing but the standard library: values of several contenders over a few
/// categories, on a logarithmic axis.

#include <string>
#include <vector>

namespace bench {

/// A value with what was seen around it. None of them is drawn unless it is positive.
struct Point {
  double value = 0;  ///< 0: not measured
  double least = 0;
  double most = 0;
};

/// What one contender reached.
struct Line {
  std::string name;
  bool ours = false;          ///< drawn thick, in a colour of its own
  std::vector<Point> points;  ///< one for each category
};

/// One chart.
struct Plot {
  std::string title;
  std::string subtitle;  ///< what the value is, and which direction is better
  std::string x_label;
  std::string unit;  ///< behind the numbers of the axis
  std::vector<std::string> categories;
  std::vector<Line> lines;
};

/// The plots side by side, as one SVG document that is readable on light and on dark pages.
/// @param note  stands below them
[[nodiscard]] std::string to_svg(const std::vector<Plot>& plots, const std::string& note);

}  // namespace bench
