// SPDX-License-Identifier: MIT
#include <gossip/processing/batch_core.hpp>

#include "support/batch_host.hpp"
#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <thread>
#include <utility>
#include <vector>

using gossip::BatchOptions;
using gossip::Context;
using gossip::Errc;
using gossip::Event;
using gossip::EventType;
using gossip::Status;
using gossip::SteadyTime;
using gossip::detail::BatchCall;
using gossip::test::Door;
using gossip::test::ManualBatchHost;
using namespace std::chrono_literals;

namespace {

constexpr EventType<int> number{"test.number"};
using Core = gossip::detail::BatchCore<int>;
using Processor = std::function<Status(std::span<const Event<int>>)>;

std::shared_ptr<Core> make(ManualBatchHost& host, BatchOptions<int> options, Processor processor) {
  return std::make_shared<Core>(
      std::move(options), batch_executor(host),
      BatchCall<int>{std::make_shared<Processor>(std::move(processor)),
                     [](void* self, std::span<const Event<int>> events, Context&) {
                       return (*static_cast<Processor*>(self))(events);
                     }});
}

bool add(Core& core, int value) {
  Event<int> event{number, value};
  return core.add(event).ok();
}

/// A processor that blocks in the batch that begins with 1.
struct Blocking {
  Status operator()(std::span<const Event<int>> events) {
    sizes.push_back(events.size());
    if (events[0].data() == 1) {
      inside.open();
      leave.wait();
    }
    return {};
  }
  Door inside;
  Door leave;
  std::vector<std::size_t> sizes;
};

}  // namespace

TEST_CASE("BatchCore: while the flush is in use, what is demanded goes on filling", "[batch]") {
  ManualBatchHost host;
  Blocking processor;
  const auto core = make(host, {.size = 3, .period = 1s}, std::ref(processor));
  add(*core, 1);
  std::thread flusher{[&] { core->flush(SteadyTime::max()); }};
  REQUIRE(processor.inside.wait());
  add(*core, 2);
  host.clock.advance(1s);
  CHECK(host.posted() == 0);  // nobody could run it
  add(*core, 3);
  processor.leave.open();
  flusher.join();
  host.run();
  CHECK(processor.sizes == std::vector<std::size_t>{1, 2});
  CHECK(core->statistics().by_period == 1);
  CHECK(core->close(SteadyTime::max()));
}

TEST_CASE("BatchCore: what is left when a flush ends is posted, once", "[batch]") {
  ManualBatchHost host;
  Blocking processor;
  const auto core = make(host, {.size = 1}, std::ref(processor));
  std::thread adder{[&] { add(*core, 1); }};
  REQUIRE(processor.inside.wait());
  for (int i = 2; i < 6; ++i) add(*core, i);
  CHECK(host.posted() == 0);
  processor.leave.open();
  adder.join();
  CHECK(processor.sizes.size() == 1);
  for (std::size_t done = 2; done < 6; ++done) {
    CHECK(host.posted() == 1);
    CHECK(host.run_one());
    CHECK(processor.sizes.size() == done);
  }
  CHECK(host.posted() == 0);
}

TEST_CASE("BatchCore: an adder takes over what has been posted", "[batch]") {
  ManualBatchHost host;
  Blocking processor;
  const auto core = make(host, {.size = 1}, std::ref(processor));
  std::thread adder{[&] { add(*core, 1); }};
  REQUIRE(processor.inside.wait());
  add(*core, 2);
  processor.leave.open();
  adder.join();
  CHECK(host.posted() == 1);
  add(*core, 3);  // processes 2
  CHECK(processor.sizes.size() == 2);
  CHECK(host.posted() == 1);
  CHECK(host.run() == 1);
  CHECK(processor.sizes.size() == 3);
  CHECK(host.run() == 0);
}

TEST_CASE("BatchCore: flush waits for batches that others process, not for later ones", "[batch]") {
  ManualBatchHost host;
  Blocking processor;
  const auto core = make(host, {.size = 1, .max_concurrent_flushes = 2}, std::ref(processor));
  std::thread adder{[&] { add(*core, 1); }};
  REQUIRE(processor.inside.wait());
  bool flushed = false;
  CHECK_FALSE(core->flush(std::chrono::steady_clock::now() + 1ms));
  std::thread flusher{[&] { flushed = core->flush(SteadyTime::max()); }};
  processor.leave.open();
  flusher.join();
  adder.join();
  CHECK(flushed);
}

TEST_CASE("BatchCore: a batch that is gone leaves nothing behind in the timer but a stub",
          "[batch]") {
  ManualBatchHost host;
  {
    const auto core = make(host, {.size = 2, .period = 1s}, [](auto) { return Status{}; });
    add(*core, 1);
    CHECK(core->close(SteadyTime::max()));
    CHECK(core.use_count() == 1);
  }
  CHECK(host.timers() == 1);
  host.clock.advance(1s);
  CHECK(host.run() == 0);
}

TEST_CASE("BatchCore: an attempt that could not be delayed is not due as well", "[batch]") {
  ManualBatchHost host;
  host.end();
  Door inside;
  int calls = 0;
  const auto core = std::make_shared<Core>(
      BatchOptions<int>{.size = 1}, batch_executor(host),
      BatchCall<int>{std::make_shared<std::function<Status(Context&)>>([&](Context& context) {
                       if (++calls == 1) return Status{Errc::retryable};
                       inside.open();
                       const bool stopped =
                           gossip::test::eventually([&] { return context.stop_requested(); });
                       return stopped ? Status{} : Status{Errc::timeout};
                     }),
                     [](void* call, std::span<const Event<int>>, Context& context) {
                       return (*static_cast<std::function<Status(Context&)>*>(call))(context);
                     }});
  std::thread adder{[&] { add(*core, 1); }};
  const bool began = inside.wait();
  const bool complete = core->close(SteadyTime{});
  adder.join();
  CHECK(began);
  CHECK(complete);  // the running attempt was waited for, and nothing given up
  CHECK(calls == 2);
  CHECK(core->statistics().processed == 1);
}

TEST_CASE("BatchCore: the delay of a retry is cut short by close, and its timer does no harm",
          "[batch]") {
  ManualBatchHost host;
  std::vector<int> seen;
  bool fail = true;
  const auto core = make(host, {.size = 1, .retry = {.initial_delay = 1s}},
                         [&](std::span<const Event<int>> events) -> Status {
                           seen.push_back(events[0].data());
                           if (std::exchange(fail, false)) return Errc::retryable;
                           return {};
                         });
  add(*core, 1);
  CHECK(core->close(SteadyTime::max()));
  host.clock.advance(10s);
  CHECK(host.run() == 0);
  CHECK(seen == std::vector<int>{1, 1});
  CHECK(core->statistics().pending == 0);
}
