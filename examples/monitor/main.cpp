// SPDX-License-Identifier: MIT
#include <gossip/gossip.hpp>
#include <gossip/observe.hpp>

#include "options.hpp"
#include "shop.hpp"
#include "view.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#if defined(_WIN32)
#include <io.h>
#else
#include <unistd.h>
#endif

namespace {

using namespace monitor;
using std::chrono::steady_clock;

volatile std::sig_atomic_t interrupted = 0;

bool on_terminal() {
#if defined(_WIN32)
  return _isatty(1) != 0;
#else
  return isatty(STDOUT_FILENO) != 0;
#endif
}

/// What the watchdog said last.
class Note {
 public:
  void set(std::string text) {
    const std::lock_guard lock{mutex_};
    text_ = std::move(text);
  }
  [[nodiscard]] std::string get() const {
    const std::lock_guard lock{mutex_};
    return text_;
  }

 private:
  mutable std::mutex mutex_;
  std::string text_;
};

void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void show_topology(const gossip::EventBus<>& bus, const std::string& kind) {
  // [topology]
  const gossip::Topology topology = bus.topology();
  if (kind == "mermaid") print(to_mermaid(topology));
  if (kind == "dot") print(to_dot(topology));
  if (kind == "json") print(to_json(topology) + "\n");
  // [/topology]
}

/// Looks at the bus until the time is up, or somebody presses Ctrl-C.
void watch(const gossip::EventBus<>& bus, const Options& options, const Note& note) {
  const bool screen = !options.plain && on_terminal();
  const auto begin = steady_clock::now();
  const auto end = begin + std::chrono::seconds{options.seconds};
  View view;
  auto last = begin;
  for (auto next = begin; next < end && interrupted == 0;) {
    next = std::min(next + std::chrono::milliseconds{options.interval}, end);
    std::this_thread::sleep_until(next);
    const auto now = steady_clock::now();
    view.update(bus.stats(), now - last);
    last = now;
    print(screen ? view.screen(note.get()) : view.line() + "\n");
  }
}

/// Whether every order that was accepted, and what came of it, was handled.
bool account(const gossip::Statistics& statistics, long placed) {
  const bool fine = statistics.published == statistics.handled && statistics.depth == 0 &&
                    statistics.published >= static_cast<std::uint64_t>(placed);
  std::printf("placed=%ld published=%llu handled=%llu failed=%llu deferred=%llu stalled=%llu: %s\n",
              placed, static_cast<unsigned long long>(statistics.published),
              static_cast<unsigned long long>(statistics.handled),
              static_cast<unsigned long long>(statistics.failed),
              static_cast<unsigned long long>(statistics.deferred),
              static_cast<unsigned long long>(statistics.stalled),
              fine ? "all accounted for" : "something is missing");
  return fine;
}

int run(const Options& options) {
  using namespace std::chrono_literals;
  Note note;
  // [seeing]
  gossip::EventBus bus{
      {.workers = static_cast<std::size_t>(options.workers),
       .measure = gossip::Measure::times,
       .stall_after = 1s,
       .on_stall = [&](const gossip::StallReport& report) { note.set(to_string(report)); }}};
  // [/seeing]
  Shop shop{bus};
  if (!options.topology.empty()) {
    show_topology(bus, options.topology);
    return 0;
  }
  Customers customers{bus, options.rate};
  watch(bus, options, note);
  const long placed = customers.finish();
  bus.drain();
  const bool fine = account(bus.stats(), placed);
  // [metrics]
  if (options.metrics) print(gossip::to_prometheus(bus.stats()));
  // [/metrics]
  return fine ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Options options = parse_options(argc, argv);
    if (options.help) {
      print(usage);
      return 0;
    }
    std::signal(SIGINT, [](int) { interrupted = 1; });
    return run(options);
  } catch (const UsageError& error) {
    std::fprintf(stderr, "monitor: %s\nmonitor: try --help\n", error.what());
    return 2;
  }
}
