// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// A registry with one event type, for the tests of what walks and changes it.

#include <gossip/dispatch/delivery.hpp>
#include <gossip/dispatch/registry.hpp>

#include <cstdint>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace gossip::test {

inline constexpr EventType<int> registry_event{"registry.number"};
inline constexpr detail::PayloadOperations no_operations{nullptr, nullptr};

/// A registry with one event type, and a way to dispatch to it on this thread.
struct RegistryFixture {
  detail::ThreadSlots slots;
  detail::TypeEntry type{registry_event.key(), payload_info<int>(), no_operations, 0};
  detail::Registry registry{slots};
  detail::ThreadSlot& mine = slots.acquire(&slots);
  std::vector<std::string> failures;

  template <class F>
  SubscriptionId subscribe(F processor, SubscribeOptions options = {}) {
    return registry.subscribe(type, detail::erase_processor<int>(std::move(processor)),
                              std::move(options));
  }
  /// @return how many processors were subscribed
  std::uint64_t dispatch(int value) { return dispatch(value, mine); }
  std::uint64_t dispatch(int value, detail::ThreadSlot& slot,
                         SteadyTime deadline = SteadyTime::max(),
                         const std::stop_token& stop = {}) {
    const Event<int> event{registry_event, value};
    detail::Call call{event, stop, {&RegistryFixture::note, this}, deadline};
    const TickClock clock;
    const auto view = detail::ClockView::of(clock);
    call.clock = &view;
    call.limited = true;
    call.type = &type;
    detail::Delivery delivery{slot, registry, type};
    return delivery.run(call);
  }
  static void note(void* self, detail::Call& call, const detail::SubscriptionRecord& record) {
    static_cast<RegistryFixture*>(self)->failures.push_back(record.name + ": " +
                                                            std::string{call.error.what()});
  }
};

}  // namespace gossip::test
