// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// A strict reader of the Prometheus text format: refuses what promtool would complain of.

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace gossip::test {

/// A page of metrics: each sample by its name with its labels, as `name{a="b",c="d"}`, the values of
/// labels as they are written. @throws std::runtime_error, with the line, from the constructor
class PrometheusText {
 public:
  explicit PrometheusText(std::string_view page) {
    if (page.empty() || page.back() != '\n') fail("no line feed at the end", page);
    while (!page.empty()) {
      const std::string_view line = page.substr(0, page.find('\n'));
      page.remove_prefix(line.size() + 1);
      read_line(line);
    }
    for (const auto& [name, kind] : kinds_) {
      if (kind == "histogram") check_histogram(name);
    }
  }

  /// The value of a sample. @throws std::out_of_range
  [[nodiscard]] double at(const std::string& sample) const { return samples_.at(sample); }
  [[nodiscard]] bool has(const std::string& sample) const { return samples_.count(sample) != 0; }
  /// How many samples there are whose name and labels begin so.
  [[nodiscard]] long count(std::string_view beginning) const {
    return std::count_if(samples_.begin(), samples_.end(), [&](const auto& sample) {
      return std::string_view{sample.first}.substr(0, beginning.size()) == beginning;
    });
  }

 private:
  [[noreturn]] static void fail(const char* why, std::string_view line) {
    throw std::runtime_error{std::string{why}.append(": ").append(line)};
  }

  static bool is_name(std::string_view text) {
    const auto letter = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    };
    return !text.empty() && letter(text.front()) &&
           std::all_of(text.begin(), text.end(),
                       [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
  }

  static bool ends_with(std::string_view text, std::string_view end) {
    return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
  }

  /// The next word of a line, which one space follows, or nothing.
  static std::string_view word(std::string_view& line) {
    const std::string_view found = line.substr(0, line.find(' '));
    line.remove_prefix(std::min(line.size(), found.size() + 1));
    return found;
  }

  void read_line(const std::string_view line) {
    if (line.empty()) fail("an empty line", line);
    std::string_view rest = line;
    if (line.front() != '#') return read_sample(line);
    if (word(rest) != "#") fail("a comment", line);
    const std::string_view what = word(rest);
    const std::string name{word(rest)};
    if (!is_name(name)) fail("no name", line);
    if (what == "HELP") {
      if (rest.empty()) fail("no help", line);
      if (name == family_ || kinds_.count(name) != 0) fail("a second HELP", line);
      family_ = name;
    } else if (what == "TYPE") {
      if (name != family_ || kinds_.count(name) != 0) fail("TYPE without its HELP", line);
      if (rest != "counter" && rest != "gauge" && rest != "histogram") fail("no such type", line);
      if ((rest == "counter") != ends_with(name, "_total")) fail("_total is for counters", line);
      kinds_[name] = rest;
    } else {
      fail("neither HELP nor TYPE", line);
    }
  }

  void read_sample(const std::string_view line) {
    const std::size_t name_end = line.find_first_of("{ ");
    const std::string name{line.substr(0, name_end)};
    if (!is_name(name) || name_end == std::string_view::npos) fail("no name", line);
    if (kinds_.count(family_) == 0) fail("a sample without a TYPE", line);
    const bool suffixed =
        name == family_ + "_bucket" || name == family_ + "_sum" || name == family_ + "_count";
    if (kinds_[family_] == "histogram" ? !suffixed : name != family_)
      fail("of another metric", line);
    std::string_view rest = line.substr(name_end);
    if (name == family_ + "_bucket" && rest.front() != '{') fail("a bucket without le", line);
    if (rest.front() == '{') read_labels(rest, line);
    const std::string key{line.substr(0, line.size() - rest.size())};
    if (rest.empty() || rest.front() != ' ') fail("no space before the value", line);
    const std::string value{rest.substr(1)};
    char* end = nullptr;
    const double number = std::strtod(value.c_str(), &end);
    if (value.empty() || value.front() == ' ' || *end != '\0') fail("no number", line);
    if (std::isnan(number) || number < 0) fail("a count below zero", line);
    if (!samples_.emplace(key, number).second) fail("a sample twice", line);
    order_.push_back(key);
  }

  /// Takes the labels off `rest`.
  static void read_labels(std::string_view& rest, const std::string_view line) {
    std::map<std::string_view, int> seen;
    do {
      rest.remove_prefix(1);
      const std::string_view label = rest.substr(0, rest.find('='));
      if (!is_name(label) || seen[label]++ != 0) fail("no label, or twice", line);
      rest.remove_prefix(label.size());
      if (rest.substr(0, 2) != "=\"") fail("no quote", line);
      rest.remove_prefix(2);
      while (!rest.empty() && rest.front() != '"') {
        if (rest.front() == '\\') {
          rest.remove_prefix(1);
          if (rest.empty() ||
              std::string_view{"\\\"n"}.find(rest.front()) == std::string_view::npos)
            fail("an unknown escape", line);
        }
        rest.remove_prefix(1);
      }
      if (rest.size() < 2) fail("no end of the label", line);
      rest.remove_prefix(1);
    } while (rest.front() == ',');
    if (rest.front() != '}') fail("no end of the labels", line);
    rest.remove_prefix(1);
  }

  /// Buckets ascend and are cumulative; the last is +Inf and equals the count; there is a sum.
  void check_histogram(const std::string& name) const {
    const std::string bucket = name + "_bucket{";
    std::string labels;  // of the buckets being read
    double bound = -1;
    double count = -1;
    for (const std::string& key : order_) {
      if (key.compare(0, bucket.size(), bucket) != 0) continue;
      const std::size_t le = key.find("le=\"");
      if (le == std::string::npos) fail("a bucket without le", key);
      std::string others = key.substr(bucket.size(), le - bucket.size());
      if (!others.empty()) others.pop_back();
      if (others != labels || count < 0) {
        bound = -1;
        count = 0;
        labels = others;
      }
      const double next = std::strtod(key.c_str() + le + 4, nullptr);
      if (next <= bound) fail("bounds do not ascend", key);
      if (at(key) < count) fail("buckets are not cumulative", key);
      bound = next;
      count = at(key);
      if (!std::isinf(next)) continue;
      const std::string braces = others.empty() ? "" : "{" + others + "}";
      if (at(name + "_count" + braces) != count) fail("+Inf is not the count", key);
      if (!has(name + "_sum" + braces)) fail("no sum", key);
    }
    if (count >= 0 && !std::isinf(bound)) fail("no +Inf", name);
  }

  std::string family_;  ///< begun last
  std::map<std::string, std::string_view> kinds_;
  std::map<std::string, double> samples_;
  std::vector<std::string> order_;
};

}  // namespace gossip::test
