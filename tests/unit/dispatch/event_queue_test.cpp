// SPDX-License-Identifier: MIT
#include <gossip/dispatch/event_queue.hpp>

#include "support/wait.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <thread>

using gossip::BusOptions;
using gossip::Errc;
using gossip::EventType;
using gossip::OverflowPolicy;
using gossip::payload_info;
using gossip::Status;
using gossip::detail::current_thread;
using gossip::detail::Dispatcher;
using gossip::detail::EventQueue;
using gossip::detail::Help;
using gossip::detail::PayloadOperations;
using gossip::detail::Task;
using gossip::detail::ThreadSlot;
using gossip::detail::TypeEntry;
using gossip::test::eventually;

namespace {

using Payload = std::shared_ptr<int>;
constexpr EventType<Payload> type{"queue.payload"};
constexpr PayloadOperations operations{[](Dispatcher&, ThreadSlot&, EventQueue::Ring::Claim&) {},
                                       &gossip::detail::discard_event<Payload>};

struct Fixture {
  explicit Fixture(OverflowPolicy policy) : queue{{.capacity = 2, .overflow = policy}, 1} {}
  Status accept(int value) { return accept(std::make_shared<int>(value)); }
  Status accept(Payload payload) {
    gossip::detail::Owner<gossip::detail::EventExtras> extras;
    Status status = queue.accept<Payload>(entry, payload, {}, extras, priority, this);
    given_back = payload != nullptr;
    return status;
  }
  /// Takes the first event's number; -1 if there is none.
  int take() {
    int number = -1;
    queue.take(
        turn,
        [&](EventQueue::Ring::Claim& claim) {
          gossip::detail::open_envelope<Payload>(
              *claim, type.key(), {}, claim.ticket(), [&] { claim.release(); },
              [&](const gossip::Event<Payload>& event) { number = *event.data(); });
          queue.slot_freed(claim.ticket());
        },
        [](Task&) {});
    return number;
  }

  TypeEntry entry{type.key(), payload_info<Payload>(), operations, 0};
  EventQueue queue;
  gossip::Priority priority = gossip::Priority::normal;
  std::uint32_t turn = 0;
  bool given_back = false;
};

}  // namespace

TEST_CASE("EventQueue: what was accepted comes out in order", "[dispatch]") {
  Fixture fixture{OverflowPolicy::reject};
  REQUIRE(fixture.take() == -1);
  REQUIRE(fixture.accept(1).ok());
  REQUIRE(fixture.accept(2).ok());
  REQUIRE(fixture.take() == 1);
  REQUIRE(fixture.take() == 2);
  REQUIRE(fixture.queue.published() == 2);
  REQUIRE(fixture.queue.taken() == 2);
}

TEST_CASE("EventQueue: reject answers queue_full and leaves the payload", "[dispatch]") {
  Fixture fixture{OverflowPolicy::reject};
  REQUIRE(fixture.accept(1).ok());
  REQUIRE(fixture.accept(2).ok());
  REQUIRE(fixture.accept(3) == Errc::queue_full);
  REQUIRE(fixture.given_back);
  REQUIRE(fixture.queue.rejected() == 1);
  REQUIRE(fixture.entry.not_handled.load() == 1);
  REQUIRE(fixture.take() == 1);
}

TEST_CASE("EventQueue: drop_newest accepts and drops", "[dispatch]") {
  Fixture fixture{OverflowPolicy::drop_newest};
  for (int i = 1; i <= 3; ++i) REQUIRE(fixture.accept(i).ok());
  REQUIRE(fixture.queue.dropped_newest() == 1);
  REQUIRE(fixture.take() == 1);
  REQUIRE(fixture.take() == 2);
  REQUIRE(fixture.take() == -1);
}

TEST_CASE("EventQueue: drop_oldest makes space and destroys what it drops", "[dispatch]") {
  Fixture fixture{OverflowPolicy::drop_oldest};
  auto first = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = first;
  REQUIRE(fixture.accept(std::move(first)).ok());
  REQUIRE(fixture.accept(2).ok());
  REQUIRE(fixture.accept(3).ok());
  REQUIRE(watch.expired());
  REQUIRE(fixture.queue.dropped_oldest() == 1);
  REQUIRE(fixture.entry.not_handled.load() == 1);
  REQUIRE(fixture.take() == 2);
  REQUIRE(fixture.take() == 3);
}

TEST_CASE("EventQueue: the destructor of a dropped payload may publish", "[dispatch]") {
  Fixture fixture{OverflowPolicy::drop_oldest};
  Status published = Errc::fatal;
  Payload first{new int{1}, [&](int* gone) {
                  delete gone;
                  published = fixture.accept(2);
                }};
  REQUIRE(fixture.accept(std::move(first)).ok());
  REQUIRE(fixture.accept(3).ok());
  REQUIRE(fixture.accept(4).ok());  // drops the first, whose slot the destructor's event may take
  REQUIRE(published.ok());
}

TEST_CASE("EventQueue: drop_oldest drops nothing while the slot it wants is being emptied",
          "[dispatch]") {
  Fixture fixture{OverflowPolicy::drop_oldest};
  REQUIRE(fixture.accept(1).ok());
  REQUIRE(fixture.accept(2).ok());
  bool accepted = false;
  std::uint64_t dropped = 0;
  std::thread publisher;
  fixture.queue.take(
      fixture.turn,
      [&](EventQueue::Ring::Claim& claim) {  // a worker in the middle of a slow move
        publisher = std::thread{[&] { accepted = fixture.accept(3).ok(); }};
        gossip::test::let_pass(std::chrono::milliseconds{5});
        dropped = fixture.queue.dropped_oldest();
        gossip::detail::discard_event<Payload>(claim);
      },
      [](Task&) {});
  REQUIRE(publisher.joinable());
  publisher.join();
  REQUIRE(dropped == 0);
  REQUIRE(accepted);
  REQUIRE(fixture.queue.dropped_oldest() == 0);
  REQUIRE(fixture.take() == 2);
  REQUIRE(fixture.take() == 3);
}

TEST_CASE("EventQueue: block waits until a slot is free", "[dispatch]") {
  Fixture fixture{OverflowPolicy::block};
  REQUIRE(fixture.accept(1).ok());
  REQUIRE(fixture.accept(2).ok());
  std::atomic<bool> accepted{false};
  std::thread publisher{[&] { accepted = fixture.accept(3).ok(); }};
  gossip::test::let_pass(std::chrono::milliseconds{5});
  const bool too_early = accepted.load();
  const int first = fixture.take();
  publisher.join();
  REQUIRE_FALSE(too_early);
  REQUIRE(first == 1);
  REQUIRE(accepted.load());
  REQUIRE(fixture.take() == 2);
  REQUIRE(fixture.take() == 3);
}

TEST_CASE("EventQueue: a blocked publisher is told when the queue closes", "[dispatch]") {
  Fixture fixture{OverflowPolicy::block};
  REQUIRE(fixture.accept(1).ok());
  REQUIRE(fixture.accept(2).ok());
  std::atomic<int> answer{0};
  std::thread publisher{[&] { answer = fixture.accept(3) == Errc::closed ? 1 : -1; }};
  gossip::test::let_pass(std::chrono::milliseconds{2});
  fixture.queue.close();
  const bool told = eventually([&] { return answer.load() != 0; });
  while (answer.load() == 0) fixture.take();  // so that the test ends
  publisher.join();
  REQUIRE(told);
  REQUIRE(answer.load() == 1);
  REQUIRE(fixture.given_back);
  REQUIRE(fixture.queue.refused_closed() == 1);
}

TEST_CASE("EventQueue: a closed queue is open to its own workers until it is closed to them",
          "[dispatch]") {
  Fixture fixture{OverflowPolicy::block};
  REQUIRE(fixture.accept(1).ok());
  fixture.queue.close();
  REQUIRE(fixture.accept(2) == Errc::closed);
  const auto before = current_thread;
  current_thread.worker_of = &fixture;
  const Status as_worker = fixture.accept(3);
  const int first = fixture.take();
  fixture.queue.close_for_workers();
  const Status too_late = fixture.accept(4);
  current_thread = before;
  REQUIRE(as_worker.ok());
  REQUIRE(too_late == Errc::closed);
  REQUIRE(first == 1);
  REQUIRE(fixture.take() == 3);
}

TEST_CASE("EventQueue: a worker that finds no space helps, or is refused if it is too deep",
          "[dispatch]") {
  Fixture fixture{OverflowPolicy::block};
  REQUIRE(fixture.accept(1).ok());
  REQUIRE(fixture.accept(2).ok());
  const auto before = current_thread;
  current_thread.worker_of = &fixture;
  current_thread.help = [](void* self) {
    static_cast<Fixture*>(self)->take();
    return Help::ran;
  };
  const Status helped = fixture.accept(3);
  current_thread.help = [](void*) { return Help::too_deep; };
  const Status refused = fixture.accept(4);
  current_thread = before;
  REQUIRE(helped.ok());
  REQUIRE(refused == Errc::queue_full);
  REQUIRE(fixture.queue.rejected() == 1);
  REQUIRE(fixture.take() == 2);
}

TEST_CASE("EventQueue: what is left is destroyed and counted", "[dispatch]") {
  auto payload = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = payload;
  Fixture fixture{OverflowPolicy::block};
  REQUIRE(fixture.accept(std::move(payload)).ok());
  REQUIRE(fixture.accept(2).ok());
  fixture.queue.close();
  REQUIRE(fixture.queue.sweep() == 2);
  REQUIRE(watch.expired());
  REQUIRE(fixture.queue.sweep() == 0);
  REQUIRE(fixture.entry.not_handled.load() == 2);
}

TEST_CASE("EventQueue: a released worker does not park", "[dispatch]") {
  Fixture fixture{OverflowPolicy::block};
  REQUIRE_FALSE(fixture.queue.spin_for_event());
  REQUIRE(fixture.accept(1).ok());
  REQUIRE(fixture.queue.spin_for_event());
  fixture.queue.park(0);  // returns: there is an event
  REQUIRE(fixture.take() == 1);
  fixture.queue.release_workers();
  fixture.queue.park(0);
  SUCCEED("it returned");
}

TEST_CASE("EventQueue: a worker whose spins were in vain leaves some out", "[dispatch]") {
  Fixture fixture{OverflowPolicy::block};
  gossip::detail::EventQueue::Waiting waiting;
  for (int vain = 0; vain < 8; ++vain) REQUIRE_FALSE(fixture.queue.spin_for_event(waiting, 0));
  REQUIRE(fixture.accept(1).ok());
  REQUIRE_FALSE(fixture.queue.spin_for_event(waiting, 0));
  fixture.queue.park(0);  // returns: there is an event
  int left_out = 1;
  while (!fixture.queue.spin_for_event(waiting, 0)) ++left_out;
  REQUIRE(left_out == 16);
}

TEST_CASE("EventQueue: a full ring of one priority does not keep out the others", "[dispatch]") {
  Fixture fixture{OverflowPolicy::reject};
  REQUIRE(fixture.accept(1).ok());
  REQUIRE(fixture.accept(2).ok());
  fixture.priority = gossip::Priority::high;
  REQUIRE(fixture.accept(3).ok());
  fixture.priority = gossip::Priority::low;
  REQUIRE(fixture.accept(4).ok());
  fixture.priority = gossip::Priority::normal;
  REQUIRE(fixture.accept(5) == Errc::queue_full);
  REQUIRE(fixture.queue.published() == 4);
  REQUIRE(fixture.take() == 3);
  REQUIRE(fixture.take() == 1);
  REQUIRE(fixture.queue.taken() == 2);
  fixture.queue.close();
  fixture.priority = gossip::Priority::high;
  REQUIRE(fixture.accept(6) == Errc::closed);
  REQUIRE(fixture.queue.sweep() == 2);
  REQUIRE(fixture.queue.taken() == 4);
}
