// SPDX-License-Identifier: MIT
#include <gossip/redis/stream_backlog.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

using gossip::SteadyTime;
using gossip::redis::StreamBacklog;
using gossip::redis::Subscribed;
using gossip::redis::WaitingEvent;
using namespace std::chrono_literals;

namespace {

WaitingEvent waiting(const char* key, const char* event_id) {
  WaitingEvent event;
  event.type = std::make_shared<const Subscribed>(Subscribed{"a.b", key, {}});
  event.event.id = event_id;
  return event;
}

}  // namespace

TEST_CASE("StreamBacklog: the first one is tried less and less often, until something is taken",
          "[redis]") {
  StreamBacklog backlog;
  backlog.push(waiting("key", "1"));
  backlog.push(waiting("key", "2"));
  SteadyTime now{1s};
  REQUIRE(backlog.due() <= now);
  for (const auto delay : {5ms, 10ms, 20ms, 40ms, 80ms, 160ms, 200ms, 200ms}) {
    backlog.refused(now);
    REQUIRE(backlog.due() == now + delay);
    now = backlog.due();
  }
  backlog.pop();
  REQUIRE(backlog.front().event.id == "2");
  REQUIRE(backlog.due() <= now);
  backlog.refused(now);
  REQUIRE(backlog.due() == now + 5ms);
  backlog.refused(now);
  backlog.hurry();
  REQUIRE(backlog.due() <= now);
  backlog.refused(now);
  REQUIRE(backlog.due() == now + 5ms);
  backlog.clear();
  REQUIRE(backlog.empty());
  REQUIRE(backlog.due() <= now);
}

TEST_CASE("StreamBacklog: an event without an id is like no other", "[redis]") {
  REQUIRE(waiting("key", "").identity().empty());
  REQUIRE(waiting("key", "1").identity() == waiting("key", "1").identity());
  REQUIRE(waiting("key", "1").identity() != waiting("other", "1").identity());
}
