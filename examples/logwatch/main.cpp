// SPDX-License-Identifier: MIT
// logwatch: reads a log and publishes each line on a bus, whose processors count and watch.
#include <gossip/gossip.hpp>

#include "../program.hpp"
#include "events.hpp"
#include "input.hpp"
#include "options.hpp"
#include "parse.hpp"
#include "progress.hpp"
#include "report.hpp"
#include "watch.hpp"

#include <chrono>
#include <cstdint>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace logwatch;

constexpr std::size_t lines_to_judge_by = 100;

void report_failure(const gossip::ErrorReport& report) {
  std::cerr << "logwatch: " + std::string{report.subscription_name} + ": " +
                   std::string{report.status.what()} + '\n';
}

/// The format of the first line that is in one, among those that were asked for.
std::optional<Format> format_of(const std::vector<LogLine>& lines, std::optional<Format> wanted) {
  for (const LogLine& line : lines) {
    for (const Format format : {Format::dpkg, Format::access}) {
      if (wanted.value_or(format) == format && matches(format, line)) return format;
    }
  }
  return std::nullopt;
}

/// Numbers the lines of an input.
class Lines {
 public:
  explicit Lines(Input& input) : input_{input} {}

  std::optional<LogLine> next() {
    std::optional<std::string> text = input_.next();
    if (!text) return std::nullopt;
    return LogLine{++count_, std::make_shared<const std::string>(std::move(*text))};
  }

  [[nodiscard]] std::uint64_t count() const { return count_; }

 private:
  Input& input_;
  std::uint64_t count_ = 0;
};

int watch_log(const Options& options) {
  const auto begun = std::chrono::steady_clock::now();
  Input input{options.file};
  Lines lines{input};
  std::vector<LogLine> first;
  while (first.size() < lines_to_judge_by) {
    std::optional<LogLine> line = lines.next();
    if (!line) break;
    first.push_back(std::move(*line));
  }
  if (first.empty()) throw InputError{input.name(), "is empty"};
  const std::optional<Format> format = format_of(first, options.format);
  if (!format) {
    throw InputError{input.name(), "the first " + std::to_string(first.size()) +
                                       " lines are not in the format " +
                                       (options.format ? std::string{to_string(*options.format)}
                                                       : std::string{"dpkg or access"})};
  }

  gossip::EventBus bus{{.workers = options.workers,
                        .capacity = options.capacity,
                        .timestamps = gossip::Timestamps::off,  // the log has its own
                        .on_error = report_failure}};
  Watch watch{bus, *format};
  {
    Progress progress;
    auto publisher = bus.publisher(log_line);
    const auto publish = [&](LogLine&& line) {
      publisher.publish(std::move(line)).throw_if_error();
      progress.show(lines.count(), input.bytes_read(), input.size());
    };
    for (LogLine& line : first) publish(std::move(line));
    while (std::optional<LogLine> line = lines.next()) publish(std::move(*line));
    bus.drain();
    watch.conclude().throw_if_error();
    bus.drain();
  }
  const auto taken = std::chrono::steady_clock::now() - begun;

  const gossip::Statistics stats = bus.stats();
  std::cout << input.name() << ": format " << to_string(*format) << "\n\n";
  print_summary(std::cout, stats, watch);
  std::cout << '\n';
  if (options.timing) print_timing(std::cout, lines.count(), taken, stats.workers);
  if (const std::string loss = find_loss(stats, lines.count()); !loss.empty()) {
    std::cerr << "logwatch: " << loss << '\n';
    return 1;
  }
  std::cout << "all " << lines.count() << " lines accounted for\n";
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return program::finish("logwatch", [&] {
    try {
      const Options options = parse_options(argc, argv);
      if (!options.help) return watch_log(options);
      std::cout << usage;
      return 0;
    } catch (const UsageError& error) {
      std::cerr << "logwatch: " << error.what() << "\ntry logwatch --help\n";
      return 2;
    }
  });
}
