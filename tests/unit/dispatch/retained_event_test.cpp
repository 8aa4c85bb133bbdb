// SPDX-License-Identifier: MIT
#include <gossip/dispatch/delivery.hpp>
#include <gossip/dispatch/registry.hpp>
#include <gossip/dispatch/retained_event.hpp>
#include <gossip/dispatch/thread_slots.hpp>

#include <catch2/catch_test_macros.hpp>

#include <memory>
#include <utility>

using gossip::Event;
using gossip::EventType;
using gossip::Priority;
using gossip::detail::DeliveredHeader;
using gossip::detail::Delivery;
using gossip::detail::EventAccess;
using gossip::detail::EventTime;
using gossip::detail::first_ticket;
using gossip::detail::RetainedEvent;
using gossip::detail::SharedEvent;
using gossip::detail::unnumbered;
using gossip::detail::unnumbered_with;

namespace {

constexpr EventType<int> number{"retained.number"};
constexpr gossip::detail::EventSource source;

/// Stands for any delivery.
struct AnyDelivery {
  gossip::detail::ThreadSlots slots;
  gossip::detail::Registry registry{slots};
  gossip::detail::ThreadSlot slot;
  Delivery delivery{slot, registry};
};
const AnyDelivery any;
const Delivery& delivery = any.delivery;

void dispatch(RetainedEvent& retained, int value, std::uint64_t ticket) {
  const auto event = EventAccess::make<int>(
      DeliveredHeader{number.key(), EventTime{}, &source, ticket}, std::move(value));
  RetainedEvent::Keeping keeping{retained, SharedEvent::copy_of<int>(event)};
  keeping.done(delivery, event);
}

/// The value that is kept; 0 if there is none.
int kept(RetainedEvent& retained) {
  int value = 0;
  retained.look([&](const SharedEvent& last) {
    if (last) value = static_cast<const Event<int>&>(*last).data();
  });
  return value;
}

}  // namespace

TEST_CASE("RetainedEvent: keeps what is dispatched", "[dispatch]") {
  RetainedEvent retained;
  REQUIRE(kept(retained) == 0);
  dispatch(retained, 1, 1);
  REQUIRE(kept(retained) == 1);
  dispatch(retained, 2, 2);
  REQUIRE(kept(retained) == 2);
}

TEST_CASE("RetainedEvent: of one priority the one published later is the last", "[dispatch]") {
  RetainedEvent retained;
  dispatch(retained, 2, 2);
  dispatch(retained, 1, 1);  // a worker was overtaken
  REQUIRE(kept(retained) == 2);
  dispatch(retained, 3, first_ticket(Priority::high) + 1);
  REQUIRE(kept(retained) == 3);
  dispatch(retained, 4, 3);
  REQUIRE(kept(retained) == 4);
  dispatch(retained, 5, unnumbered);  // publish_sync
  REQUIRE(kept(retained) == 5);
  dispatch(retained, 6, 1);
  REQUIRE(kept(retained) == 6);
  dispatch(retained, 7, unnumbered_with(Priority::high));
  REQUIRE(kept(retained) == 7);
  dispatch(retained, 8, first_ticket(Priority::high) + 2);
  REQUIRE(kept(retained) == 8);
}

TEST_CASE("RetainedEvent: what is not done is not kept, nor what could not be copied",
          "[dispatch]") {
  RetainedEvent retained;
  dispatch(retained, 1, 1);
  const Event<int> event{number, 2};
  { const RetainedEvent::Keeping keeping{retained, SharedEvent::copy_of<int>(event)}; }
  REQUIRE(kept(retained) == 1);
  {
    RetainedEvent::Keeping keeping{retained, SharedEvent{}};
    keeping.done(delivery, event);
  }
  REQUIRE(kept(retained) == 1);
  RetainedEvent::Keeping{}.done(delivery, event);
}

TEST_CASE("RetainedEvent: the event before is destroyed without the lock", "[dispatch]") {
  struct Curious {
    RetainedEvent* retained;
    explicit Curious(RetainedEvent* looks_at) : retained{looks_at} {}
    Curious(const Curious&) = default;
    Curious& operator=(const Curious&) = delete;
    ~Curious() {
      retained->look([](const SharedEvent&) {});
    }
  };
  RetainedEvent own;
  RetainedEvent looked_at;
  constexpr EventType<Curious> curious{"retained.curious"};
  for (int i = 0; i < 2; ++i) {
    const Event<Curious> event{curious, Curious{&own}};
    RetainedEvent::Keeping keeping{own, SharedEvent::copy_of<Curious>(event)};
    keeping.done(delivery, event);
  }
  // The one that `own` still has must not look into it while that is being destroyed.
  const Event<Curious> last{curious, Curious{&looked_at}};
  RetainedEvent::Keeping keeping{own, SharedEvent::copy_of<Curious>(last)};
  keeping.done(delivery, last);
}
