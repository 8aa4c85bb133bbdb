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
  char workload;          ///< 'A' to 'H'
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
/// H. @pre the process has not made a thread
void plan_processing(Plan& plan);

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

/// The rows and columns of one metric of one workload.
struct Table {
  char workload;
  std::string metric;
  std::vector<std::string> cells;
  std::vector<std::string> contenders;
};

/// What a workload is called.
[[nodiscard]] const char* title_of(char workload);
/// A measured value with as many digits as mean something.
[[nodiscard]] std::string number(double value);

/// Everything that has been measured.
class Results {
 public:
  void add(const Case& measured, const std::string& metric, double value);

  /// Null if it was not measured.
  [[nodiscard]] const Series* find(char workload, std::string_view metric, std::string_view cell,
                                   std::string_view contender) const;

  /// In order of workload, then as measured.
  [[nodiscard]] std::vector<Table> tables() const;

  /// Prints a table for each workload and metric, then the ratios to gossip.
  void print() const;
  /// Writes all values: workload, metric, cell, contender, repetition, value.
  void write_csv(std::FILE* file) const;

 private:
  void print_table(const Table& table) const;

  std::vector<Series> all_;
};

/// What the project has promised itself of one measurement.
struct Target {
  bool met;
  std::string text;  ///< with the measured value
};

/// The targets, with what was measured; those whose measurements are missing are left out.
[[nodiscard]] std::vector<Target> check_targets(const Results& results);

/// Writes a report into a folder: README.md with all tables, and plots as SVG. Ends the program if it
/// cannot.
/// @param facts  a line each: about the machine, the compiler, the run
void write_report(const std::string& folder, const std::vector<std::string>& facts,
                  const Results& results);

}  // namespace bench
