// SPDX-License-Identifier: MIT
#include <gossip/gossip.hpp>
#include <gossip/observe.hpp>

#include "../program.hpp"
#include "options.hpp"
#include "shop.hpp"
#include "view.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <string_view>
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
using namespace std::chrono_literals;

volatile std::sig_atomic_t interrupted = 0;

/// Whether there is a terminal that can draw anew.
bool on_terminal() {
  const char* const kind = std::getenv("TERM");  // NOLINT(concurrency-mt-unsafe)
  if (kind == nullptr || std::string_view{kind} == "dumb") return false;
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
    told_ = false;
  }
  [[nodiscard]] std::string get() const {
    const std::lock_guard lock{mutex_};
    return text_;
  }
  /// As a line, if it has not been told yet; else empty.
  [[nodiscard]] std::string news() {
    const std::lock_guard lock{mutex_};
    return std::exchange(told_, true) ? std::string{} : "stalled: " + text_ + '\n';
  }

 private:
  mutable std::mutex mutex_;
  std::string text_;
  bool told_ = true;
};

void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);  // what fails is seen by std::ferror
}

void show_topology(const gossip::EventBus<>& bus, const std::string& kind) {
  // [topology]
  const gossip::Topology topology = bus.topology();
  if (kind == "mermaid") print(to_mermaid(topology));
  if (kind == "dot") print(to_dot(topology));
  if (kind == "json") print(to_json(topology) + "\n");
  // [/topology]
}

/// Waits until then, or until somebody presses Ctrl-C: a signal's handler may wake nobody, so it is
/// looked for now and then.
void wait_until(steady_clock::time_point then) {
  while (interrupted == 0 && steady_clock::now() < then) {
    std::this_thread::sleep_until(std::min(then, steady_clock::now() + 50ms));
  }
}

/// Looks at the bus until the time is up, somebody presses Ctrl-C, or nobody can read it any more.
void watch(const gossip::EventBus<>& bus, const Options& options, Note& note) {
  const bool screen = !options.plain && on_terminal();
  const auto begin = steady_clock::now();
  const auto end = begin + std::chrono::seconds{options.seconds};
  View view;
  auto last = begin;
  for (auto next = begin; next < end && interrupted == 0 && std::ferror(stdout) == 0;) {
    next = std::min(next + std::chrono::milliseconds{options.interval}, end);
    wait_until(next);
    const auto now = steady_clock::now();
    view.update(bus.stats(), now - last);
    last = now;
    print(screen ? view.screen(note.get()) : view.line() + "\n" + note.news());
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
  Note note;
  // [seeing]
  gossip::EventBus bus{
      {.workers = static_cast<std::size_t>(options.workers),
       .measure = gossip::Measure::times,
       .stall_after = 1s,
       .on_stall = [&](const gossip::StallReport& report) { note.set(to_string(report)); }}};
  // [/seeing]
  Shop shop{bus, options.stall};
  if (!options.topology.empty()) {
    show_topology(bus, options.topology);
    return 0;
  }
  Customers customers{bus, options.rate};
  watch(bus, options, note);
  const long placed = customers.finish();
  bus.drain();
  print(note.news());
  const bool fine = account(bus.stats(), placed);
  // [metrics]
  if (options.metrics) print(gossip::to_prometheus(bus.stats()));
  // [/metrics]
  return fine ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  return program::finish("monitor", [&] {
    try {
      const Options options = parse_options(argc, argv);
      for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { interrupted = 1; });
      if (!options.help) return run(options);
      print(usage);
      return 0;
    } catch (const UsageError& error) {
      std::fprintf(stderr, "monitor: %s\ntry monitor --help\n", error.what());
      return 2;
    }
  });
}
