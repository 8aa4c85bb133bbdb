// SPDX-License-Identifier: MIT
#include <gossip/dispatch/work_queue.hpp>

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <cstdint>
#include <new>

using gossip::Priority;
using gossip::detail::Envelope;
using gossip::detail::first_ticket;
using gossip::detail::priority_of;
using gossip::detail::Task;
using gossip::detail::WorkQueue;

namespace {

struct Fixture {
  WorkQueue queue{64};
  std::uint32_t turn = 0;
  std::array<Task, 64> tasks;

  bool push(Priority priority) {
    return queue.ring(priority).try_push_with([](void* storage) { ::new (storage) Envelope; });
  }
  /// What is taken next: 'h', 'n', 'l' for an event, 't' for a task, '-' for nothing.
  char take() {
    char taken = '-';
    const bool found = queue.take(
        turn,
        [&](WorkQueue::Ring::Claim& claim) { taken = to_string(priority_of(claim.ticket()))[0]; },
        [&](Task&) { taken = 't'; });
    REQUIRE(found == (taken != '-'));
    return taken;
  }
};

}  // namespace

TEST_CASE("WorkQueue: with normal events alone there is one ring", "[dispatch]") {
  Fixture work;
  REQUIRE_FALSE(work.queue.ready());
  REQUIRE(work.push(Priority::normal));
  REQUIRE(work.queue.ready());
  int rings = 0;
  for (const auto* ring = work.queue.first(); ring != nullptr; ring = work.queue.next(ring))
    ++rings;
  REQUIRE(rings == 1);
  REQUIRE(work.take() == 'n');
  REQUIRE(work.turn == 0);  // the short way
  REQUIRE(work.take() == '-');
}

TEST_CASE("WorkQueue: the more urgent event is taken first", "[dispatch]") {
  Fixture work;
  REQUIRE(work.push(Priority::low));
  REQUIRE(work.push(Priority::normal));
  REQUIRE(work.push(Priority::high));
  REQUIRE(work.take() == 'h');
  REQUIRE(work.take() == 'n');
  REQUIRE(work.take() == 'l');
  REQUIRE(work.take() == '-');
}

TEST_CASE("WorkQueue: of 32 turns, 27 are for high events, 4 for normal ones, 1 for low ones",
          "[dispatch]") {
  Fixture work;
  int high = 0;
  int normal = 0;
  int low = 0;
  for (int i = 0; i < 320; ++i) {
    while (work.queue.ring(Priority::high).size() < 8) REQUIRE(work.push(Priority::high));
    while (work.queue.ring(Priority::normal).size() < 8) REQUIRE(work.push(Priority::normal));
    while (work.queue.ring(Priority::low).size() < 8) REQUIRE(work.push(Priority::low));
    const char taken = work.take();
    high += taken == 'h' ? 1 : 0;
    normal += taken == 'n' ? 1 : 0;
    low += taken == 'l' ? 1 : 0;
  }
  REQUIRE(high == 270);
  REQUIRE(normal == 40);
  REQUIRE(low == 10);
}

TEST_CASE("WorkQueue: tasks and normal events take turns", "[dispatch]") {
  Fixture work;
  for (std::size_t i = 0; i < 8; ++i) {
    REQUIRE(work.push(Priority::normal));
    REQUIRE(work.queue.post(work.tasks[i]));
  }
  REQUIRE(work.queue.tail() - work.queue.head() == 16);
  int tasks = 0;
  for (int i = 0; i < 8; ++i) tasks += work.take() == 't' ? 1 : 0;
  REQUIRE(tasks == 4);
  for (int i = 0; i < 8; ++i) REQUIRE(work.take() != '-');
  REQUIRE(work.take() == '-');
  REQUIRE(work.queue.tail() == work.queue.head());
}

TEST_CASE("WorkQueue: a task or an event of any priority makes it ready", "[dispatch]") {
  Fixture work;
  REQUIRE(work.queue.post(work.tasks[0]));
  REQUIRE(work.queue.ready());
  REQUIRE(work.take() == 't');
  for (const Priority priority : {Priority::high, Priority::low}) {
    REQUIRE_FALSE(work.queue.ready());
    REQUIRE(work.push(priority));
    REQUIRE(work.queue.ready());
    work.take();
  }
  REQUIRE_FALSE(work.queue.ready());
}

TEST_CASE("WorkQueue: tickets tell the priority and are counted from 0 for each", "[dispatch]") {
  Fixture work;
  for (const Priority priority : {Priority::high, Priority::normal, Priority::low}) {
    REQUIRE(work.push(priority));
    REQUIRE(work.queue.ring(priority).head() == first_ticket(priority));
    REQUIRE(priority_of(work.queue.ring(priority).head()) == priority);
  }
  REQUIRE(work.queue.pushed() == 3);
  REQUIRE(work.queue.taken() == 0);
}

TEST_CASE("WorkQueue: a ring that is made after closing is closed", "[dispatch]") {
  Fixture work;
  REQUIRE(work.push(Priority::high));
  work.queue.close();
  REQUIRE(work.queue.closed());
  for (const Priority priority : {Priority::high, Priority::normal, Priority::low}) {
    REQUIRE_FALSE(work.push(priority));
  }
  REQUIRE(work.queue.pushed() == 1);
  REQUIRE(work.take() == 'h');
}
