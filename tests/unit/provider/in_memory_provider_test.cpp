// SPDX-License-Identifier: MIT
#include <gossip/bus/event_bus.hpp>
#include <gossip/provider/in_memory_provider.hpp>

#include <catch2/catch_test_macros.hpp>

#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace {

using gossip::Errc;
using gossip::EventType;
using gossip::InMemoryProvider;
using gossip::Outgoing;
using gossip::Payload;
using gossip::Status;

static_assert(gossip::Provider<InMemoryProvider>);
static_assert(std::is_empty_v<InMemoryProvider>, "it holds nothing");
static_assert(std::is_same_v<gossip::EventBus<>, gossip::EventBus<InMemoryProvider>>);

constexpr EventType<std::string> said{"text.said"};

/// Notes what reaches it.
struct Inbox {
  template <Payload T>
  Status accept(Outgoing<T>& event) {
    ++calls;
    if (!answer.ok()) return answer;
    taken = std::move(event.data);
    return {};
  }
  [[nodiscard]] bool has_subscriptions(const gossip::EventTypeName&) const noexcept {
    return false;
  }
  Status answer;
  int calls = 0;
  std::string taken;
};

TEST_CASE("InMemoryProvider: puts an event straight into the inbox", "[in_memory_provider]") {
  InMemoryProvider provider;
  Inbox inbox;
  std::string data = "a text that is too long for the string object itself";
  const char* const place = data.data();
  gossip::detail::Owner<gossip::detail::EventExtras> extras;
  const gossip::detail::PayloadOperations operations{nullptr, nullptr};
  gossip::detail::TypeEntry entry{said.key(), gossip::payload_info<std::string>(), operations, 0};
  Outgoing<std::string> event{said.key(), entry, data, gossip::detail::EventTime{}, extras};
  inbox.answer = Errc::queue_full;
  CHECK(provider.publish(inbox, event) == Errc::queue_full);
  CHECK(data.data() == place);
  inbox.answer = {};
  CHECK(provider.publish(inbox, event).ok());
  CHECK(inbox.calls == 2);
  CHECK(static_cast<const void*>(inbox.taken.data()) == place);
}

TEST_CASE("InMemoryProvider: everything else succeeds and does nothing", "[in_memory_provider]") {
  InMemoryProvider provider{InMemoryProvider::Options{}};
  Inbox inbox;
  CHECK(provider.open(inbox).ok());
  CHECK(provider.subscribe(inbox, said).ok());
  CHECK(provider.subscribe(inbox, said).ok());
  provider.unsubscribe(inbox, said.key());
  CHECK(provider.flush(gossip::SteadyTime{}).ok());
  provider.close(gossip::SteadyTime{});
  CHECK(inbox.calls == 0);
}

TEST_CASE("InMemoryProvider: what is published before anybody subscribes reaches nobody",
          "[in_memory_provider]") {
  gossip::EventBus bus{{.workers = 1}};
  CHECK(bus.publish(said, "early").ok());
  REQUIRE(bus.drain());
  std::string seen;
  const auto subscription = bus.subscribe(said, [&](const std::string& text) { seen += text; });
  CHECK(bus.publish(said, "late").ok());
  REQUIRE(bus.drain());
  CHECK(seen == "late");
  CHECK(bus.stats().unmatched == 1);
}

}  // namespace
