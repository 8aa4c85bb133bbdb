// SPDX-License-Identifier: MIT
// What the project has promised itself, workload by workload.
#include "comparison/measure.hpp"
#include "comparison/plan.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bench {
namespace {

/// Checks one target after the other; one whose measurements are missing is not mentioned.
class Targets {
 public:
  explicit Targets(const Results& results) : results_{results} {}

  /// @param text  with `%s` where the measured value goes
  void at_least(double measured, double limit, const std::string& text) {
    note(measured >= limit, measured, text);
  }
  void at_most(double measured, double limit, const std::string& text) {
    note(measured <= limit, measured, text);
  }

  [[nodiscard]] const Series* find(char workload, std::string_view metric, std::string_view cell,
                                   std::string_view contender) const {
    return results_.find(workload, metric, cell, contender);
  }
  [[nodiscard]] std::vector<Target> take() { return std::move(all_); }

 private:
  void note(bool passed, double measured, const std::string& text) {
    char value[32];
    std::snprintf(value, sizeof value, "%.*f", measured < 99.5 ? 2 : 0, measured);
    const std::size_t at = text.find("%s");
    all_.push_back({passed, text.substr(0, at) + value + text.substr(at + 2)});
  }

  const Results& results_;
  std::vector<Target> all_;
};

constexpr const char* moodycamel = "moodycamel";
constexpr const char* asio = "Boost.Asio";
constexpr const char* mutex_pool = "mutex pool";
constexpr const char* all_gossips[] = {gossip_default, gossip_unstamped};

/// The differences of two contenders, one for each repetition.
std::vector<double> differences(const Series& of, const Series& from) {
  std::vector<double> result;
  for (std::size_t i = 0; i < of.values.size() && i < from.values.size(); ++i) {
    result.push_back(of.values[i] - from.values[i]);
  }
  return result;
}

void check_end_to_end(Targets& targets) {
  const struct {
    const char* ours;
    const char* peer;
    double limit;
    const char* limit_text;
  } promises[] = {{gossip_unstamped, moodycamel, 6, "6"},
                  {gossip_unstamped, asio, 10, "10"},
                  {gossip_unstamped, mutex_pool, 10, "10"},
                  {gossip_default, moodycamel, 4, "4"}};
  const std::string metric = "ns per event";
  const char* const cells[] = {"1x1", "1x2", "2x1", "2x2", "4x4", "8x2"};
  for (const auto& [ours, peer, limit, limit_text] : promises) {
    for (const char* cell : cells) {
      const Series* us = targets.find('A', metric, cell, ours);
      const Series* them = targets.find('A', metric, cell, peer);
      if (us == nullptr || them == nullptr) continue;
      targets.at_least(median(ratios(*them, *us)), limit,
                       std::string{"A "} + cell + ", " + ours + ": %sx faster than " + peer +
                           " (at least " + limit_text + "x)");
    }
  }
  for (const char* ours : all_gossips) {
    std::vector<double> medians;
    for (const char* cell : cells) {
      if (const Series* series = targets.find('A', metric, cell, ours)) {
        medians.push_back(median(series->values));
      }
    }
    if (medians.empty()) continue;
    const auto [least, most] = std::minmax_element(medians.begin(), medians.end());
    targets.at_most(*most / *least, 3,
                    std::string{"A, "} + ours + ": slowest cell %sx the fastest (at most 3x)");
  }
}

void check_fan_out(Targets& targets) {
  for (const char* cell : {"1x2", "2x2"}) {
    const Series* us = targets.find('B', "ns per event", cell, gossip_unstamped);
    const Series* bare = targets.find('B', "ns per event", cell, "bare ring");
    if (us == nullptr || bare == nullptr) continue;
    targets.at_most(median(differences(*us, *bare)) / 8, 6,
                    std::string{"B "} + cell + ", " + gossip_unstamped +
                        ": %s ns per delivered call above the bare ring's (at most 6)");
  }
}

void check_synchronous(Targets& targets) {
  const std::string one = "ns per publish_sync, one thread";
  const std::string two = "ns per publish_sync, two threads";
  for (const char* ours : all_gossips) {
    for (const char* cell : {"1", "8", "64"}) {
      const std::string where = std::string{"C "} + cell + " subscribers, " + ours;
      const Series* alone = targets.find('C', one, cell, ours);
      const Series* together = targets.find('C', two, cell, ours);
      const Series* floor = targets.find('C', one, cell, "loop over std::function");
      if (alone == nullptr || together == nullptr || floor == nullptr) continue;
      targets.at_most(median(differences(*alone, *floor)), 15,
                      where + ": %s ns above the floor (at most 15)");
      targets.at_most(median(ratios(*together, *alone)), 1.3,
                      where + ": two threads cost %sx of one (at most 1.3x)");
    }
  }
}

void check_subscribe(Targets& targets) {
  for (const auto& [cell, limit] : {std::pair{"0", 400.0}, {"100", 400.0}, {"10000", 1000.0}}) {
    const Series* us = targets.find('D', "ns per subscribe + unsubscribe", cell, gossip_default);
    if (us == nullptr) continue;
    targets.at_most(median(us->values), limit,
                    std::string{"D "} + cell +
                        " others: %s ns per subscribe + unsubscribe (at most " +
                        std::to_string(static_cast<int>(limit)) + ")");
  }
}

void check_latency(Targets& targets) {
  for (const char* metric : {"latency p50, us", "latency p99, us"}) {
    for (const char* cell : {"20k/s 1x1", "20k/s 1x2", "100k/s 1x1", "100k/s 1x2"}) {
      const Series* us = targets.find('E', metric, cell, gossip_default);
      const Series* them = targets.find('E', metric, cell, mutex_pool);
      if (us == nullptr || them == nullptr) continue;
      targets.at_most(
          median(ratios(*us, *them)), 1.25,
          std::string{"E "} + cell + ", " + metric + ": %sx of the mutex pool's (at most 1.25x)");
    }
  }
  for (const char* cell : {"20k/s 1x1", "20k/s 1x2"}) {
    const Series* us = targets.find('E', "CPU of the workers, % of a core", cell, gossip_default);
    if (us == nullptr) continue;
    targets.at_most(median(us->values), 25,
                    std::string{"E "} + cell + ": workers use %s % of a core (at most 25)");
  }
  if (const Series* us = targets.find('E', "CPU when idle, ms", "1 s idle", gossip_default)) {
    targets.at_most(median(us->values), 1, "E idle: %s ms of CPU in 1 s (at most 1)");
  }
}

void check_bursts(Targets& targets) {
  if (const Series* us =
          targets.find('F', "ns per publish (median burst)", "1x1", gossip_unstamped)) {
    targets.at_most(median(us->values), 25,
                    std::string{"F, "} + gossip_unstamped + ": %s ns per publish (at most 25)");
  }
  for (const char* ours : all_gossips) {
    if (const Series* us = targets.find('F', "allocations per event", "1x1", ours)) {
      targets.at_most(*std::max_element(us->values.begin(), us->values.end()), 0,
                      std::string{"F, "} + ours + ": %s allocations per event (none)");
    }
  }
}

void check_processing(Targets& targets) {
  constexpr const char* looked_at = "ns per event that is looked at";
  constexpr const char* added = "ns per event added to a batch";
  constexpr const char* matched = "ns per match of metadata";
  const struct {
    const char* metric;
    const char* cell;
    double limit;  ///< of gossip's in multiples of that by hand
    const char* limit_text;
  } promises[] = {{looked_at, "filter of 3 clauses", 1.1, "1.1"},
                  {looked_at, "chain of 3", 1.1, "1.1"},
                  {matched, "text, any order", 0.5, "0.5"},
                  {matched, "text, one order", 0.5, "0.5"},
                  {matched, "number, any order", 0.5, "0.5"},
                  {matched, "number, one order", 0.5, "0.5"},
                  {added, "1 adder", 1.5, "1.5"},
                  {added, "1, never a thread", 1.5, "1.5"},
                  {added, "2 adders", 1.5, "1.5"}};
  for (const auto& [metric, cell, limit, limit_text] : promises) {
    const Series* us = targets.find('H', metric, cell, gossip_default);
    const Series* them = targets.find('H', metric, cell, "by hand");
    if (us == nullptr || them == nullptr) continue;
    targets.at_most(
        median(ratios(*us, *them)), limit,
        std::string{"H "} + cell + ": %sx of " + metric + " by hand (at most " + limit_text + "x)");
  }
  for (const char* cell : {"1 adder", "1, never a thread"}) {
    const Series* us =
        targets.find('H', "allocations per event added to a batch", cell, gossip_default);
    if (us == nullptr) continue;
    targets.at_most(
        *std::max_element(us->values.begin(), us->values.end()), 0,
        std::string{"H "} + cell + ": %s allocations per event added to a batch (none)");
  }
}

}  // namespace

std::vector<Target> check_targets(const Results& results) {
  Targets targets{results};
  check_end_to_end(targets);
  check_fan_out(targets);
  check_synchronous(targets);
  check_subscribe(targets);
  check_latency(targets);
  check_bursts(targets);
  check_processing(targets);
  return targets.take();
}

}  // namespace bench
