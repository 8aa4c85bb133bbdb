// SPDX-License-Identifier: MIT
// Faults for minutes: streams with a group and Pub/Sub on a server that is killed, paused and
// restarted, over connections that are cut. Run with --help.
#include <gossip/redis.hpp>

#include "support/proxy.hpp"
#include "support/redis_bus.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace {

using gossip::Event;
using gossip::Status;
using gossip::redis::Delivery;
using gossip::redis::Gap;
using gossip::redis::RedisOptions;
using gossip::redis::WriterOverflow;
using gossip::test::let_pass;
using gossip::test::Order;
using gossip::test::order_placed;
using gossip::test::Proxy;
using gossip::test::RedisBus;
using gossip::test::RedisServer;
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

/// What was promised and not kept.
struct Broken : std::runtime_error {
  using runtime_error::runtime_error;
};
void demand(bool kept, const std::string& promise) {
  if (!kept) throw Broken{promise};
}

/// What became of the events of one round, whose numbers begin at `first`.
class Ledger {
 public:
  void begin_round() {
    const std::lock_guard lock{mutex_};
    first_ += static_cast<int>(handled_.size());
    handled_.clear();
    failed_ = 0;
    ids_.clear();
    gaps_ = 0;
  }
  /// The event of the next number, known by its id until it is accepted or refused.
  Event<Order> next_event() {
    const std::lock_guard lock{mutex_};
    Event<Order> event{order_placed, {first_ + static_cast<int>(handled_.size()), "ann"}};
    ids_.emplace(to_string(event.id()), handled_.size());
    handled_.push_back(0);
    return event;
  }
  /// The last one was not accepted.
  void take_back() {
    const std::lock_guard lock{mutex_};
    handled_.back() = excused;
  }
  void handled(const Order& order) {
    const std::lock_guard lock{mutex_};
    const auto at = static_cast<std::size_t>(order.number - first_);
    if (order.number < first_ || at >= handled_.size()) {
      ++strangers_;
    } else if (handled_[at]++ % excused != 0) {
      ++repeated_;
    } else {
      ++distinct_;
    }
  }
  void failed(std::string_view id) {
    const std::lock_guard lock{mutex_};
    const auto found = ids_.find(std::string{id});
    if (found == ids_.end()) return;
    ++failed_;
    if (handled_[found->second] == 0) handled_[found->second] = excused;
  }
  void gap() {
    const std::lock_guard lock{mutex_};
    ++gaps_;
  }

  /// Of this round: neither handled nor known to have failed.
  [[nodiscard]] std::size_t missing() const {
    const std::lock_guard lock{mutex_};
    return static_cast<std::size_t>(std::count(handled_.begin(), handled_.end(), 0U));
  }
  [[nodiscard]] std::size_t gaps() const {
    const std::lock_guard lock{mutex_};
    return gaps_;
  }
  [[nodiscard]] std::size_t failures() const {
    const std::lock_guard lock{mutex_};
    return failed_;
  }
  /// Of all rounds: handled at all, more than once, and after their round was over.
  [[nodiscard]] std::array<std::size_t, 3> totals() const {
    const std::lock_guard lock{mutex_};
    return {distinct_, repeated_, strangers_};
  }

 private:
  static constexpr unsigned excused = 1'000'000;
  mutable std::mutex mutex_;
  int first_ = 0;
  std::vector<unsigned> handled_;  ///< how often, by number
  std::map<std::string, std::size_t> ids_;
  std::size_t failed_ = 0;
  std::size_t gaps_ = 0;
  std::size_t distinct_ = 0;
  std::size_t repeated_ = 0;
  std::size_t strangers_ = 0;
};

enum class Fault { none, kill, pause, restart, cut, cuts, disconnect };
constexpr std::array<const char*, 7> fault_names{"quiet", "kill", "pause",     "restart",
                                                 "cut",   "cuts", "disconnect"};

/// The server with what spoils it. Nothing that it has acknowledged is lost when it is killed.
class Victim {
 public:
  explicit Victim(std::uint64_t seed) : random_{seed} {}

  /// Begins a fault, lets it last, and mends it.
  void suffer(Fault fault) {
    ++counts_[static_cast<std::size_t>(fault)];
    let_pass(random_time(50, 400));
    switch (fault) {
      case Fault::none: break;
      case Fault::kill:
        server.kill();
        let_pass(random_time(20, 800));
        server.restart();
        break;
      case Fault::pause:
        server.pause();
        let_pass(random_time(200, 2'500));
        server.resume();
        break;
      case Fault::restart: server.restart(); break;
      case Fault::cut:
        for (int i = 0; i < 5; ++i) {
          proxy.cut_all();
          let_pass(random_time(5, 100));
        }
        break;
      case Fault::cuts:
        proxy.cut_after(2'000, 30'000);
        proxy.cut_all();
        let_pass(random_time(300, 1'500));
        proxy.cut_after(0, 0);
        proxy.cut_all();
        break;
      case Fault::disconnect:
        server.ask({"CLIENT", "KILL", "TYPE", "pubsub"});
        server.ask({"CLIENT", "KILL", "TYPE", "normal"});
        break;
    }
  }
  /// How often each fault has been.
  [[nodiscard]] std::string faults() const {
    std::string text;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      text += (i == 0 ? "" : ", ") + std::to_string(counts_[i]) + " " + fault_names[i];
    }
    return text;
  }

  RedisServer server{{"--appendonly", "yes", "--appendfsync", "always"}};
  Proxy proxy{server.port()};

 private:
  std::chrono::milliseconds random_time(int least, int most) {
    return std::chrono::milliseconds{std::uniform_int_distribution<int>{least, most}(random_)};
  }
  std::mt19937_64 random_;
  std::array<std::size_t, fault_names.size()> counts_{};
};

/// Resident memory of this process. // KiB
std::size_t memory() {
  std::ifstream status{"/proc/self/status"};
  std::string word;
  while (status >> word) {
    if (word == "VmRSS:" && status >> word) return std::stoul(word);
  }
  return 0;
}

constexpr gossip::EventType<Order> mark{"soak.mark"};

/// Waits for what must come to be, without keeping a processor busy.
template <class Condition>
bool within(std::chrono::seconds limit, Condition&& condition) {
  const auto deadline = Clock::now() + limit;
  while (!condition()) {
    if (Clock::now() > deadline) return false;
    let_pass(2ms);
  }
  return true;
}

/// Notices how long this machine lets a thread wait that has something to do, or a server.
class Stalls {
 public:
  void note(std::chrono::nanoseconds late) {
    auto longest = longest_.load();
    while (late > longest && !longest_.compare_exchange_weak(longest, late)) {
    }
  }
  /// The longest since the last call.
  [[nodiscard]] std::chrono::nanoseconds take_longest() { return longest_.exchange(0ns); }

 private:
  void look(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const auto begin = Clock::now();
      let_pass(10ms);
      note(Clock::now() - begin - 10ms);
    }
  }
  std::atomic<std::chrono::nanoseconds> longest_{0ns};
  std::jthread thread_{[this](const std::stop_token& stop) { look(stop); }};
};

/// Three buses on streams, of which two share a group, and two on a channel.
class Soak {
 public:
  explicit Soak(std::uint64_t seed) : random_{seed}, victim_{seed} {
    static_cast<void>(
        victim_.server.ask({"XGROUP", "CREATE", "order.placed", "workers", "0", "MKSTREAM"}));
    for (auto& worker : workers_) {
      worker = std::make_unique<RedisBus>(gossip::BusOptions{.workers = 2}, in_group());
      subscriptions_.push_back(
          worker->subscribe(order_placed, [this](const Order& order) { streams_.handled(order); }));
    }
    publisher_ = std::make_unique<RedisBus>(gossip::BusOptions{.workers = 1}, publishing());
    speaker_ = std::make_unique<RedisBus>(gossip::BusOptions{.workers = 1}, on_channel());
    // Room for all of a round, so that nothing is missed but what a gap has to cover.
    listener_ = std::make_unique<RedisBus>(gossip::BusOptions{.workers = 1, .capacity = 8'192},
                                           on_channel());
    subscriptions_.push_back(listener_->subscribe(
        order_placed, [this](const Order& order) { channel_.handled(order); }));
    subscriptions_.push_back(
        listener_->subscribe(mark, [this](const Order& order) { marked_ = order.number; }));
  }

  /// Publishes while one fault happens, then looks at what came of it.
  void round() {
    const Fault fault = next_fault();
    ++rounds_;
    streams_.begin_round();
    channel_.begin_round();
    longest_stall_ = 0ns;
    static_cast<void>(stalls_.take_longest());
    const std::size_t repeated = streams_.totals()[1];
    const std::uint64_t dropped = dropped_by_listener();
    std::exception_ptr trouble;
    std::atomic<bool> over{false};
    // Whom nobody disturbs shall answer; one that waits for a disk, say, lets claims go stale.
    std::jthread asking;
    if (fault == Fault::none) {
      asking = std::jthread{[this](const std::stop_token& stop) { ask_until(stop); }};
    }
    {
      const std::jthread spoiler{[&] {
        try {
          victim_.suffer(fault);
        } catch (...) {
          trouble = std::current_exception();
        }
        over = true;
      }};
      for (int i = 0; i < 300 && (i < 100 || !over); ++i) {
        publish(10);
        let_pass(2ms);
      }
    }
    if (trouble) std::rethrow_exception(trouble);
    // A machine that stands still makes time-outs pass, and that is a fault, too.
    const auto quiet = [&] { return fault == Fault::none && longest_stall() < 200ms; };
    settle_streams(quiet, repeated);
    settle_channel(quiet, dropped);
  }

  /// Ends all buses while the server is silent.
  /// @return  how long that took
  std::chrono::milliseconds shut_down() {
    streams_.begin_round();
    channel_.begin_round();
    victim_.server.pause();
    publish(100);
    const auto begin = Clock::now();
    for (RedisBus* bus : {publisher_.get(), speaker_.get(), listener_.get(), workers_[0].get(),
                          workers_[1].get()}) {
      const auto begun = Clock::now();
      static_cast<void>(bus->shutdown(500ms));
      const auto slack = 2'500ms + 5 * stalls_.take_longest();
      demand(Clock::now() - begun < 500ms + slack, "shutdown returns within its deadline");
    }
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin);
    victim_.server.resume();
    demand(streams_.missing() == 0 && channel_.missing() == 0,
           "what a shutdown cannot send is reported");
    return took;
  }

  /// In one line, what has happened.
  [[nodiscard]] std::string summary() const {
    const auto streams = streams_.totals();
    const auto channel = channel_.totals();
    return std::to_string(rounds_) + " rounds (" + victim_.faults() +
           "); streams: " + std::to_string(streams[0]) + " events handled, " +
           std::to_string(streams[1]) +
           " of them again, none lost; channel: " + std::to_string(channel[0]) + " heard, " +
           std::to_string(missed_) + " missed and " + std::to_string(gaps_) + " gaps told, " +
           std::to_string(failed_) + " reported as failed";
  }
  [[nodiscard]] std::size_t rounds() const noexcept { return rounds_; }
  [[nodiscard]] const char* last_fault() const noexcept {
    return fault_names[static_cast<std::size_t>(last_)];
  }

 private:
  RedisOptions through_proxy() {
    auto options = victim_.server.options();
    options.port = victim_.proxy.port();
    options.command_timeout = 1'000ms;  // some pauses are longer
    options.writer_capacity = 500;
    return options;
  }
  RedisOptions in_group() {
    auto options = through_proxy();
    options.group = "workers";
    options.claim_after = 1'000ms;
    options.max_deliveries = 1'000;  // faults are no fault of the event
    return options;
  }
  RedisOptions publishing() {
    auto options = through_proxy();
    options.on_publish_error = [this](std::string_view, std::string_view id, const Status&) {
      streams_.failed(id);
    };
    return options;
  }
  RedisOptions on_channel() {
    auto options = through_proxy();
    options.delivery = Delivery::pub_sub;
    options.writer_overflow = WriterOverflow::reject;
    options.on_gap = [this](const Gap&) { channel_.gap(); };
    options.on_publish_error = [this](std::string_view, std::string_view id, const Status&) {
      channel_.failed(id);
    };
    return options;
  }

  void ask_until(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const auto begin = Clock::now();
      try {
        static_cast<void>(victim_.server.ask({"PING"}));
      } catch (const std::runtime_error&) {
        continue;
      }
      stalls_.note(Clock::now() - begin);
      let_pass(10ms);
    }
  }

  /// Each of them comes up before any does again.
  Fault next_fault() {
    if (bag_.empty()) {
      for (std::size_t i = 0; i < fault_names.size(); ++i) bag_.push_back(static_cast<Fault>(i));
      std::shuffle(bag_.begin(), bag_.end(), random_);
    }
    last_ = bag_.back();
    bag_.pop_back();
    return last_;
  }

  void publish(int events) {
    for (int i = 0; i < events; ++i) {
      if (!publisher_->publish(streams_.next_event()).ok()) streams_.take_back();
      if (!speaker_->publish(channel_.next_event()).ok()) channel_.take_back();
    }
  }

  /// Each event was handled, and once if nothing happened; nothing is left of the round.
  template <class Quiet>
  void settle_streams(Quiet&& quiet, std::size_t repeated_before) {
    demand(publisher_->flush(60s).ok(), "streams: what was published is confirmed");
    demand(within(60s, [&] { return streams_.missing() == 0; }),
           "streams: nothing is lost (" + std::to_string(streams_.missing()) + " missing)");
    demand(streams_.failures() == 0, "streams: no publish fails");
    demand(within(60s, [&] { return nothing_left(); }), "streams: everything is acknowledged");
    demand(victim_.server.ask({"EXISTS", "order.placed.dead"}) == "0",
           "streams: nobody buries events");
    const auto totals = streams_.totals();
    demand(totals[1] == repeated_before || !quiet(),
           "streams: nothing is repeated without a fault (" +
               std::to_string(totals[1] - repeated_before) + " were, a stall of " +
               std::to_string(longest_stall() / 1ms) + " ms)");
    demand(totals[2] == 0, "streams: nothing is repeated once it is acknowledged");
    static_cast<void>(victim_.server.ask({"XTRIM", "order.placed", "MAXLEN", "0"}));
  }
  [[nodiscard]] bool nothing_left() const {
    const auto after = [](const std::string& text, const std::string& name) {
      const auto at = text.find(name + " ");
      if (at == std::string::npos) return std::string{};
      const auto begin = at + name.size() + 1;
      return text.substr(begin, text.find(' ', begin) - begin);
    };
    const std::string groups = victim_.server.ask({"XINFO", "GROUPS", "order.placed"});
    const std::string stream = victim_.server.ask({"XINFO", "STREAM", "order.placed"});
    return after(groups, "pending") == "0" &&
           after(groups, "last-delivered-id") == after(stream, "last-generated-id");
  }

  /// What was not heard is covered by a gap that was told, or a publish that was reported as failed.
  template <class Quiet>
  void settle_channel(Quiet&& quiet, std::uint64_t dropped_before) {
    demand(speaker_->flush(60s).ok(), "channel: what was published is confirmed");
    const int number = static_cast<int>(rounds_);
    demand(within(60s,
                  [&] {
                    static_cast<void>(speaker_->publish(mark, Order{number, "mark"}));
                    let_pass(5ms);
                    return marked_ == number;
                  }),
           "channel: the listener comes back");
    const std::size_t missing = channel_.missing();
    const std::uint64_t dropped = dropped_by_listener() - dropped_before;
    const std::string what = std::to_string(missing) + " missing, " + std::to_string(dropped) +
                             " dropped, a stall of " + std::to_string(longest_stall() / 1ms) +
                             " ms";
    // A gap is told before what is published after it is heard, the mark too.
    demand(missing == 0 || channel_.gaps() != 0, "channel: gaps are told (" + what + ")");
    demand((missing == 0 && channel_.failures() == 0) || !quiet(),
           "channel: nothing is lost without a fault (" + what + ")");
    missed_ += missing;
    gaps_ += channel_.gaps();
    failed_ += channel_.failures();
  }

  [[nodiscard]] std::uint64_t dropped_by_listener() const {
    return listener_->provider_statistics().reader.dropped;
  }

  /// Of this round.
  [[nodiscard]] std::chrono::nanoseconds longest_stall() {
    return longest_stall_ = std::max(longest_stall_, stalls_.take_longest());
  }

  std::mt19937_64 random_;
  Stalls stalls_;
  std::chrono::nanoseconds longest_stall_{0};
  Victim victim_;
  Ledger streams_;
  Ledger channel_;
  std::atomic<int> marked_{0};
  std::unique_ptr<RedisBus> workers_[2];
  std::unique_ptr<RedisBus> publisher_;
  std::unique_ptr<RedisBus> speaker_;
  std::unique_ptr<RedisBus> listener_;
  std::vector<gossip::Subscription> subscriptions_;
  std::vector<Fault> bag_;
  Fault last_ = Fault::none;
  std::size_t rounds_ = 0;
  std::size_t missed_ = 0;
  std::size_t gaps_ = 0;
  std::size_t failed_ = 0;
};

constexpr const char* usage =
    "usage: redis_soak [--seconds N] [--seed N]\n"
    "Publishes over Redis while its server and its connections suffer, and demands that nothing "
    "is\n"
    "lost in silence, that memory does not grow and that the end comes in time.\n"
    "  --seconds N  how long, 1 to 86400; 60 unless told\n"
    "  --seed N     of the faults, a number; the clock's unless told\n"
    "Exit codes: 0 all is well, 1 a promise was broken, 2 wrong use.\n";

/// What it may grow by, once every fault has been there. // KiB
constexpr std::size_t most_growth = 16 * 1024;
/// Under a sanitizer the size of the process says nothing.
#if defined(GOSSIP_THREAD_SANITIZER) || defined(GOSSIP_TEST_ADDRESS_SANITIZER)
constexpr bool measures_memory = false;
#else
constexpr bool measures_memory = true;
#endif

int run(std::chrono::seconds time, std::uint64_t seed) {
  const auto end = Clock::now() + time;
  const auto warm = Clock::now() + time / 3;
  Soak soak{seed};
  std::size_t before = 0;
  try {
    do {
      soak.round();
      if (before == 0 && soak.rounds() >= fault_names.size() && Clock::now() > warm) {
        before = memory();
      }
    } while (Clock::now() < end);
    const std::size_t after = memory();
    const auto shutdown = soak.shut_down();
    demand(!measures_memory || before == 0 || after < before + most_growth,
           "memory does not grow (from " + std::to_string(before) + " to " + std::to_string(after) +
               " KiB)");
    std::printf("soak: ok: %lld s, seed %llu: %s; memory %zu to %zu KiB; shutdown %lld ms\n",
                static_cast<long long>(time.count()), static_cast<unsigned long long>(seed),
                soak.summary().c_str(), before, after, static_cast<long long>(shutdown.count()));
    return 0;
  } catch (const std::exception& error) {
    std::printf("soak: FAILED: %s; seed %llu, round %zu, fault: %s; %s\n", error.what(),
                static_cast<unsigned long long>(seed), soak.rounds(), soak.last_fault(),
                soak.summary().c_str());
    std::fflush(stdout);
    std::_Exit(1);  // what is broken may not end
  }
}

}  // namespace

int main(int count, char** words) {
  std::uint64_t seconds = 60;
  auto seed = static_cast<std::uint64_t>(Clock::now().time_since_epoch().count()) % 1'000'000;
  for (int i = 1; i < count; i += 2) {
    const std::string_view word = words[i];
    if (word == "--help" || word == "-h") {
      std::fputs(usage, stdout);
      return 0;
    }
    char* rest = nullptr;
    const std::uint64_t number = i + 1 < count ? std::strtoull(words[i + 1], &rest, 10) : 0;
    const bool is_number = rest != nullptr && *rest == '\0' && *words[i + 1] != '\0';
    if (word == "--seed" && is_number) {
      seed = number;
    } else if (word == "--seconds" && is_number && number >= 1 && number <= 86'400) {
      seconds = number;
    } else {
      std::fprintf(stderr,
                   "redis_soak: %s: not known, or its number is missing or out of range\n%s",
                   words[i], usage);
      return 2;
    }
  }
  try {
    return run(std::chrono::seconds{seconds}, seed);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "redis_soak: %s\n", error.what());
    return 1;
  }
}
