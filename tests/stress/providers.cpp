// SPDX-License-Identifier: MIT
// What a provider is told of subscriptions that come and go on several threads.
#include <gossip/gossip.hpp>

#include "stress/load.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <cstddef>
#include <mutex>
#include <set>
#include <string>
#include <thread>

using gossip::EventBus;
using gossip::EventPattern;
using gossip::EventType;
using gossip::EventTypeName;
using gossip::Status;
using gossip::Subscription;
using gossip::test::on_threads;
using gossip::test::scaled;

namespace {

constexpr EventType<int> token{"stress.token"};

/// Which types a SelectiveProvider reads now.
struct Reading {
  std::mutex mutex;
  std::set<std::string> types;
  std::size_t too_early = 0;  ///< told to read before there was anybody to hear // times

  bool reads(const EventTypeName& type) {
    const std::lock_guard lock{mutex};
    return types.contains(std::string{type.text()});
  }
};

/// Notes which types it was told to read. It takes its time, so that threads meet.
class SelectiveProvider {
 public:
  struct Options {
    Reading* reading = nullptr;
  };
  explicit SelectiveProvider(Options options) : options_{options} {}

  template <class Inbox>
  Status open(Inbox&) {
    return {};
  }
  template <class Inbox, gossip::Payload T>
  Status publish(Inbox& inbox, gossip::Outgoing<T>& event) {
    return inbox.accept(event);
  }
  template <class Inbox, gossip::Payload T>
  Status subscribe(Inbox& inbox, const EventType<T>& type) {
    std::this_thread::yield();
    {
      const std::lock_guard lock{options_.reading->mutex};
      options_.reading->types.emplace(type.name());
      if (!inbox.has_subscriptions(type.key())) ++options_.reading->too_early;
    }
    std::this_thread::yield();
    return {};
  }
  template <class Inbox>
  void unsubscribe(Inbox& inbox, const EventTypeName& name) noexcept {
    std::this_thread::yield();
    const std::lock_guard lock{options_.reading->mutex};
    if (!inbox.has_subscriptions(name)) options_.reading->types.erase(std::string{name.text()});
  }
  Status flush(gossip::SteadyTime) { return {}; }
  void close(gossip::SteadyTime) noexcept {}

 private:
  Options options_;
};
static_assert(gossip::Provider<SelectiveProvider>);

using SelectiveBus = EventBus<SelectiveProvider>;

}  // namespace

TEST_CASE("stress: while a type has subscriptions its provider reads it, and then no longer",
          "[stress]") {
  const std::size_t turns = scaled(20'000);
  std::atomic<std::size_t> unread{0};
  Reading reading;
  SelectiveBus bus{{.workers = 1}, {&reading}};
  on_threads(4, [&](std::size_t self) {
    for (std::size_t turn = 0; turn < turns; ++turn) {
      auto subscription = self == 0 ? bus.subscribe("stress.*", [](const gossip::AnyEvent&) {})
                                    : bus.subscribe(token, [](int) {});
      if (self != 0 && !reading.reads(token.key())) ++unread;
      subscription.cancel();
    }
  });
  REQUIRE(unread == 0);
  REQUIRE_FALSE(reading.reads(token.key()));
}

TEST_CASE("stress: what a provider reads as soon as it is told finds a processor", "[stress]") {
  // Many buses: each meets the type once, and two threads have to meet it at the same time.
  Reading reading;
  for (std::size_t bus_number = 0; bus_number < scaled(500); ++bus_number) {
    SelectiveBus bus{{.workers = 1}, {&reading}};
    on_threads(2, [&](std::size_t) {
      for (int turn = 0; turn < 4; ++turn) {
        const auto subscription = bus.subscribe(token, [](int) {});
      }
    });
  }
  REQUIRE(reading.too_early == 0);
}

TEST_CASE("stress: a pattern and a type that come at once meet, and part at once", "[stress]") {
  Reading reading;
  std::size_t unread = 0;
  std::size_t left = 0;
  for (std::size_t bus_number = 0; bus_number < scaled(16); ++bus_number) {
    SelectiveBus bus{{.workers = 1}, {&reading}};
    std::atomic<std::size_t> arrived{0};
    Subscription following;
    on_threads(2, [&](std::size_t self) {
      std::size_t meetings = 0;
      const auto meet = [&] {
        ++arrived;
        ++meetings;
        for (int spins = 0; arrived < 2 * meetings; ++spins) {
          if (spins > 1'000) std::this_thread::yield();
        }
        // One is a little later, by a different time in each round.
        std::size_t late = meetings % 8 < 4 ? self : 1 - self;
        for (late *= meetings / 8 % 128; late != 0 && arrived != 0; --late) {
        }
      };
      for (int round = 0; round < 1'000; ++round) {
        std::string group{"stress.group"};
        group += std::to_string(round);
        const auto first = EventType<int>::parse(group + ".first");
        const auto second = EventType<int>::parse(group + ".second");
        const EventPattern pattern{group + ".*"};
        meet();
        if (self == 0) {
          static_cast<void>(bus.publisher(first));
        } else {
          following = bus.subscribe(pattern, [](const gossip::AnyEvent&) {});
        }
        meet();
        if (self == 0 && !reading.reads(first.key())) ++unread;
        meet();
        if (self == 0) {
          static_cast<void>(bus.publisher(second));
        } else {
          following.cancel();
        }
        meet();
        if (self == 0 && (reading.reads(first.key()) || reading.reads(second.key()))) ++left;
      }
    });
  }
  REQUIRE(unread == 0);
  REQUIRE(left == 0);
}
