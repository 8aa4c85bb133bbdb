// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// MetricText: metrics written as Prometheus reads them. Layer: observe.

#include <gossip/core/text.hpp>
#include <gossip/core/utf8.hpp>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace gossip::detail {

/// A label of a metric; without a name it is left out.
struct MetricLabel {
  std::string_view name;   ///< such as "event_type"; letters, digits and underscores
  std::string_view value;  ///< any text
};

/// A number of nanoseconds as seconds, exactly. @throws std::bad_alloc
[[nodiscard]] inline std::string seconds_of(std::uint64_t nanoseconds) {
  constexpr std::uint64_t second = 1'000'000'000;
  const Decimal whole{nanoseconds / second};
  if (nanoseconds % second == 0) return join({whole});
  // The leading 1 keeps the zeros.
  std::string text = join({whole, ".", Decimal{nanoseconds % second + second}});
  text.erase(text.find('.') + 1, 1);
  text.erase(text.find_last_not_of('0') + 1);
  return text;
}

/// Writes metrics in the Prometheus text format, version 0.0.4. Each metric is begun once, and its
/// samples follow.
///
/// Thread safety: as a std::string.
class MetricText {
 public:
  /// @param prefix  of all names, as PrometheusOptions::prefix; outlives the writer
  explicit MetricText(std::string_view prefix) noexcept : prefix_{prefix} {}

  /// Begins a metric. @throws std::bad_alloc
  /// @param name  without the prefix
  /// @param kind  counter, gauge or histogram
  /// @param help  one line without backslashes
  void begin(std::string_view name, std::string_view kind, std::string_view help) {
    name_ = join({prefix_, "_", name});
    text_ += join({"# HELP ", name_, " ", help, "\n# TYPE ", name_, " ", kind, "\n"});
  }

  /// Adds a sample of the metric that was begun last. @throws std::bad_alloc
  /// @param number  as it is to be read
  /// @param suffix  such as "_bucket"
  void add(std::initializer_list<MetricLabel> labels, std::string_view number,
           std::string_view suffix = {}) {
    text_ += name_;
    text_ += suffix;
    char before = '{';
    for (const MetricLabel& label : labels) {
      if (label.name.empty()) continue;
      text_ += before;
      text_ += label.name;
      text_ += "=\"";
      append_value(label.value);
      text_ += '"';
      before = ',';
    }
    if (before == ',') text_ += '}';
    text_ += ' ';
    text_ += number;
    text_ += '\n';
  }
  void add(std::initializer_list<MetricLabel> labels, std::uint64_t number) {
    add(labels, Decimal{number});
  }

  /// What has been written.
  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  [[nodiscard]] std::string take() noexcept { return std::move(text_); }

 private:
  /// A label's value: escaped, and what is not UTF-8 replaced, since a page with one wrong byte is
  /// refused as a whole.
  void append_value(std::string_view value) {
    for_each_character(value, [this](std::string_view character) {
      if (character == "\n") {
        text_ += "\\n";
      } else {
        if (character == "\"" || character == "\\") text_ += '\\';
        text_ += character;
      }
    });
  }

  std::string_view prefix_;
  std::string name_;
  std::string text_;
};

}  // namespace gossip::detail
