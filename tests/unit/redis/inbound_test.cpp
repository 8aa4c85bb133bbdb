// SPDX-License-Identifier: MIT
#include <gossip/redis/inbound.hpp>

#include <catch2/catch_test_macros.hpp>

TEST_CASE("Inbound: it takes the receipt over on success alone", "[redis]") {
  struct State : gossip::ReceiptState {
    State()
        : ReceiptState{
              [](ReceiptState* state) noexcept { static_cast<State*>(state)->settled = true; }} {}
    bool settled = false;
  } state;
  gossip::redis::Subscribed subscribed{
      "a", "prefix:a", [](gossip::redis::WireEvent& event, gossip::Receipt& receipt) {
        if (event.data.empty()) return gossip::Status{gossip::Errc::queue_full};
        receipt = gossip::Receipt{};
        return gossip::Status{};
      }};
  gossip::Receipt receipt{&state};
  gossip::redis::WireEvent event;
  REQUIRE(subscribed.inbound(event, receipt) == gossip::Errc::queue_full);
  REQUIRE_FALSE(state.settled);
  event.data = "data";
  REQUIRE(subscribed.inbound(event, receipt).ok());
  REQUIRE(state.settled);
}
