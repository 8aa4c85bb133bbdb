// SPDX-License-Identifier: MIT
#include <gossip/dispatch/scheduled_publish.hpp>

#include <catch2/catch_test_macros.hpp>

#include <memory>
#include <type_traits>
#include <utility>

using gossip::Errc;
using gossip::Status;
using gossip::detail::HeldSchedule;
using gossip::detail::ScheduledCall;

namespace {

/// Counts its copies that are alive, and fails.
struct Failing {
  std::shared_ptr<int> token;
  Status operator()() const { return Errc::retryable; }
};

static_assert(!std::is_copy_constructible_v<HeldSchedule>);

}  // namespace

TEST_CASE("ScheduledPublish: publishes what it holds, and destroys it before itself",
          "[dispatch]") {
  const auto token = std::make_shared<int>(0);
  HeldSchedule held{new ScheduledCall<Failing>{Failing{token}}};
  REQUIRE(token.use_count() == 2);
  REQUIRE_FALSE(held->repeats());
  REQUIRE(held->operations->publish(*held) == Errc::retryable);
  held->operations->discard(*held);
  REQUIRE(token.use_count() == 1);
}

TEST_CASE("HeldSchedule: lets go of what it held when it takes another", "[dispatch]") {
  const auto make = [] { return new ScheduledCall<Failing>{Failing{nullptr}}; };
  HeldSchedule first{make()};
  HeldSchedule second{make()};
  second->count.add_holder();  // as the timer does
  first->operations->discard(*first);
  auto* item = second.get();
  first = std::move(second);
  REQUIRE(first.get() == item);
  REQUIRE(second.get() == nullptr);
  first = HeldSchedule{};
  REQUIRE(first.get() == nullptr);
  item->operations->discard(*item);  // is still there
  HeldSchedule::release(*item);
}
