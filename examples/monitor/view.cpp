// SPDX-License-Identifier: MIT
#include "view.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <utility>

namespace monitor {
namespace {

using std::chrono::nanoseconds;

template <class... Args>
std::string text(const char* format, Args... args) {
  char buffer[256];
  const int size = std::snprintf(buffer, sizeof buffer, format, args...);
  return {buffer, static_cast<std::size_t>(std::clamp(size, 0, int{sizeof buffer} - 1))};
}

/// As people read it: three digits at most, and a unit.
std::string duration(nanoseconds time) {
  const auto count = static_cast<double>(time.count());
  if (count < 1e3) return text("%.0fns", count);
  if (count < 1e6) return text(count < 1e4 ? "%.1fus" : "%.0fus", count / 1e3);
  if (count < 1e9) return text(count < 1e7 ? "%.1fms" : "%.0fms", count / 1e6);
  return text("%.1fs", count / 1e9);
}

/// What has been added to a histogram.
gossip::Histogram since(gossip::Histogram now, const gossip::Histogram* before) {
  if (before != nullptr) now -= *before;
  return now;
}

const gossip::EventTypeStatistics* find(const gossip::Statistics& in, std::string_view type) {
  for (const auto& found : in.types) {
    if (found.event_type == type) return &found;
  }
  return nullptr;
}

const gossip::SubscriptionStatistics* find(const gossip::Statistics& in,
                                           gossip::SubscriptionId id) {
  for (const auto& found : in.subscriptions) {
    if (found.id == id) return &found;
  }
  return nullptr;
}

}  // namespace

void View::update(gossip::Statistics now, std::chrono::duration<double> elapsed) {
  before_ = std::exchange(now_, std::move(now));
  seconds_ = std::max(elapsed.count(), 1e-6);
  total_seconds_ += elapsed.count();
  rates_.push_back(static_cast<double>(now_.handled - before_.handled) / seconds_);
  if (rates_.size() > 60) rates_.pop_front();
}

std::string View::line() const {
  gossip::Histogram waited;
  for (const auto& type : now_.types) {
    const auto* before = find(before_, type.event_type);
    waited += since(type.waited, before == nullptr ? nullptr : &before->waited);
  }
  return text("t=%.1fs published=%.0f/s handled=%.0f/s failed=%llu depth=%zu in_flight=%zu ",
              total_seconds_, static_cast<double>(now_.published - before_.published) / seconds_,
              rates_.back(), static_cast<unsigned long long>(now_.failed - before_.failed),
              now_.depth, now_.in_flight) +
         text("wait_p50=%s wait_p99=%s", duration(waited.quantile(0.5)).c_str(),
              duration(waited.quantile(0.99)).c_str());
}

std::string View::sparkline() const {
  static constexpr const char* levels[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const double most = std::max(1.0, *std::max_element(rates_.begin(), rates_.end()));
  std::string bars;
  for (const double rate : rates_) bars += levels[static_cast<std::size_t>(rate / most * 7.0)];
  return bars;
}

std::string View::screen(const std::string& note) const {
  std::string out = "\x1b[H\x1b[J";  // to the corner, and everything away
  out +=
      text("\x1b[1mgossip monitor\x1b[0m  %.0f s  workers %zu  queue %zu of %zu  in flight %zu\n",
           total_seconds_, now_.workers, now_.depth, now_.capacity, now_.in_flight);
  out += text("\n%10.0f events/s  ", rates_.back()) + sparkline() + "\n\n";
  out += "\x1b[4mevent type               per second  waited p50      p99  not handled\x1b[0m\n";
  for (const auto& type : now_.types) {
    const auto* before = find(before_, type.event_type);
    const auto waited = since(type.waited, before == nullptr ? nullptr : &before->waited);
    const auto count = type.dispatched - (before == nullptr ? 0 : before->dispatched);
    out += text("%-25.*s%10.0f  %10s %8s  %11llu\n", static_cast<int>(type.event_type.size()),
                type.event_type.data(), static_cast<double>(count) / seconds_,
                duration(waited.quantile(0.5)).c_str(), duration(waited.quantile(0.99)).c_str(),
                static_cast<unsigned long long>(type.not_handled));
  }
  out +=
      "\n\x1b[4msubscription          calls per second    took p50      p99       failed\x1b[0m\n";
  for (const auto& subscription : now_.subscriptions) {
    const auto* before = find(before_, subscription.id);
    const auto took = since(subscription.took, before == nullptr ? nullptr : &before->took);
    out += text("%-25s%10.0f  %10s %8s  %11llu\n", subscription.name.c_str(),
                static_cast<double>(took.count()) / seconds_, duration(took.quantile(0.5)).c_str(),
                duration(took.quantile(0.99)).c_str(),
                static_cast<unsigned long long>(subscription.failed));
  }
  if (!note.empty()) out += "\n\x1b[1m" + note + "\x1b[0m\n";
  return out;
}

}  // namespace monitor
