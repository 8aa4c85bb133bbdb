// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// The plan (what is to be measured) and the results.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

/// Names of the contenders that targets speak of.
inline constexpr const char* gossip_default = "gossip";
inline constexpr const char* gossip_unstamped = "gossip, no time stamp";

/// Takes one measured value.
using Record = std::function<void(const std::string& metric, double value)>;

/// One measurement, to be repeated.
struct Case {
  char workload;          ///< 'A' to 'G'
  std::string cell;       ///< a column of the table
  std::string contender;  ///< a row of the table
  std::function<void(const Record&)> run;
};

/// All measurements, and how big they are.
struct Plan {
  std::uint64_t divisor = 1;  ///< --quick: how much smaller than usual
  std::vector<Case> cases;

  [[nodiscard]] std::uint64_t scaled(std::uint64_t count) const {
    return count / divisor == 0 ? 1 : count / divisor;
  }
};

void plan_asynchronous(Plan& plan);  ///< A, B, F
void plan_synchronous(Plan& plan);   ///< C, D
void plan_latency(Plan& plan);       ///< E
void plan_floors(Plan& plan);        ///< G

/// The values that one contender reached in one cell, one for each repetition.
struct Series {
  char workload;
  std::string metric;
  std::string cell;
  std::string contender;
  std::vector<double> values;
};

/// The quotients of two contenders, one for each repetition: what they share, such as a slow hour of
/// the machine, cancels out.
[[nodiscard]] std::vector<double> ratios(const Series& of, const Series& to);

/// Everything that has been measured.
class Results {
 public:
  void add(const Case& measured, const std::string& metric, double value);

  /// Null if it was not measured.
  [[nodiscard]] const Series* find(char workload, std::string_view metric, std::string_view cell,
                                   std::string_view contender) const;

  /// Prints a table for each workload and metric, then the ratios to gossip.
  void print() const;
  /// Writes all values: workload, metric, cell, contender, repetition, value.
  void write_csv(std::FILE* file) const;

 private:
  void print_table(char workload, const std::string& metric) const;

  std::vector<Series> all_;
};

/// Prints the targets of performance.md with what was measured.
/// @return how many were missed
[[nodiscard]] std::size_t print_targets(const Results& results);

}  // namespace bench
