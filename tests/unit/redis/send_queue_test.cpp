// SPDX-License-Identifier: MIT
#include <gossip/redis/send_queue.hpp>

#include <catch2/catch_test_macros.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <random>
#include <string>
#include <string_view>

using gossip::EventId;
using gossip::redis::EventBatch;
using gossip::redis::SendQueue;

namespace {

/// The wire form of an event, here.
std::string wire_of(std::uint64_t number) {
  std::string wire{"<"};
  wire += std::to_string(number);
  wire += '>';
  return wire;
}

EventBatch batch_of(std::uint64_t first, std::uint64_t count) {
  EventBatch batch;
  for (std::uint64_t i = first; i < first + count; ++i) {
    batch.add(wire_of(i), {"type", EventId{1, i}});
  }
  return batch;
}
void take(SendQueue& queue, std::uint64_t first, std::uint64_t count) {
  EventBatch batch = batch_of(first, count);
  queue.take(batch);
  REQUIRE(batch.empty());
}
/// Sends the next events.
std::string_view send(SendQueue& queue, std::size_t most, std::size_t& count) {
  const std::string_view wire = queue.next(most, count);
  queue.mark_sent(count);
  return wire;
}
/// All that can be sent, piece by piece.
std::string send_all(SendQueue& queue, std::size_t most = 100) {
  std::string wire;
  for (;;) {
    std::size_t count = 0;
    wire += send(queue, most, count);
    if (count == 0) return wire;
  }
}

}  // namespace

TEST_CASE("EventBatch: the wire forms lie one behind the other", "[redis]") {
  EventBatch batch = batch_of(1, 3);
  REQUIRE(batch.wire(0, 3) == "<1><2><3>");
  REQUIRE(batch.wire(1, 2) == "<2>");
  REQUIRE(batch[2].id.sequence == 3);
  batch.clear();
  REQUIRE(batch.empty());
  batch.add("x", {"type", {}});
  REQUIRE(batch.wire(0, 1) == "x");
}

TEST_CASE("SendQueue: sends in order, across batches, as many as it may", "[redis]") {
  SendQueue queue;
  take(queue, 1, 2);
  take(queue, 3, 2);
  std::size_t count = 0;
  REQUIRE(send(queue, 1, count) == "<1>");
  REQUIRE(count == 1);
  REQUIRE(send(queue, 0, count).empty());
  REQUIRE(count == 0);
  REQUIRE(send_all(queue) == "<2><3><4>");
  REQUIRE(queue.sent() == 4);
  queue.pop_front();
  queue.pop_front();
  take(queue, 5, 1);
  REQUIRE(queue.front().id.sequence == 3);
  REQUIRE(send_all(queue) == "<5>");
  REQUIRE(queue.size() == 3);
}

TEST_CASE("SendQueue: what was not sent after all is still the next", "[redis]") {
  SendQueue queue;
  take(queue, 1, 1);
  take(queue, 2, 1);
  std::size_t count = 0;
  REQUIRE(queue.next(5, count) == "<1>");
  REQUIRE(queue.sent() == 0);
  REQUIRE(send_all(queue) == "<1><2>");
  REQUIRE(queue.next(5, count).empty());
  queue.unsend();
  REQUIRE(queue.next(5, count) == "<1>");
  queue.pop_front();
  REQUIRE(queue.next(5, count) == "<2>");
}

TEST_CASE("SendQueue: what was sent and not answered can be sent anew", "[redis]") {
  SendQueue queue;
  take(queue, 1, 3);
  take(queue, 4, 3);
  REQUIRE(send_all(queue) == "<1><2><3><4><5><6>");
  queue.pop_front();
  queue.unsend();
  REQUIRE(queue.sent() == 0);
  REQUIRE(send_all(queue, 2) == "<2><3><4><5><6>");
  for (int i = 0; i < 5; ++i) queue.pop_front();
  REQUIRE(queue.empty());
}

TEST_CASE("SendQueue: events that were never sent can be given up", "[redis]") {
  SendQueue queue;
  take(queue, 1, 2);
  take(queue, 3, 2);
  queue.pop_front();
  REQUIRE(queue.front().id.sequence == 2);
  queue.pop_front();
  REQUIRE(send_all(queue) == "<3><4>");
}

TEST_CASE("SendQueue: does what a list of events would do, whatever comes", "[redis]") {
  std::mt19937 random{4};
  SendQueue queue;
  std::deque<std::uint64_t> model;
  std::size_t sent = 0;
  std::uint64_t next = 1;
  for (int step = 0; step < 20'000; ++step) {
    switch (random() % 5) {
      case 0: {
        const std::uint64_t count = random() % 4;
        take(queue, next, count);
        for (std::uint64_t i = 0; i < count; ++i) model.push_back(next++);
        break;
      }
      case 1:
      case 2: {
        std::size_t count = 0;
        const std::string wire{send(queue, random() % 4, count)};
        std::string expected;
        for (std::size_t i = 0; i < count; ++i) {
          expected += wire_of(model.at(sent++));
        }
        REQUIRE(wire == expected);
        break;
      }
      case 3:
        if (model.empty()) break;
        REQUIRE(queue.front().id.sequence == model.front());
        queue.pop_front();
        model.pop_front();
        if (sent != 0) --sent;
        break;
      default:
        if (random() % 20 != 0) break;
        queue.unsend();
        sent = 0;
    }
    REQUIRE(queue.size() == model.size());
    REQUIRE(queue.sent() == sent);
  }
}
