// SPDX-License-Identifier: MIT
#include <gossip/core/provider.hpp>

#include <catch2/catch_test_macros.hpp>

#include <cstddef>
#include <memory>
#include <utility>

namespace {

using gossip::EventType;
using gossip::EventTypeName;
using gossip::Outgoing;
using gossip::Payload;
using gossip::Provider;
using gossip::Status;
using gossip::SteadyTime;

/// The least that is a provider.
struct Least {
  struct Options {};
  explicit Least(Options) {}
  template <class Inbox>
  Status open(Inbox&) {
    return {};
  }
  template <class Inbox, Payload T>
  Status publish(Inbox& inbox, Outgoing<T>& event) {
    return inbox.accept(event);
  }
  template <class Inbox, Payload T>
  Status subscribe(Inbox&, const EventType<T>&) {
    return {};
  }
  template <class Inbox>
  void unsubscribe(Inbox&, const EventTypeName&) noexcept {}
  Status flush(SteadyTime) { return {}; }
  void close(SteadyTime) noexcept {}
};

struct NoOptions : Least {
 private:
  using Least::Options;
};
struct OpensSilently : Least {
  using Least::Least;
  template <class Inbox>
  void open(Inbox&) {}
};
struct PublishesSilently : Least {
  using Least::Least;
  template <class Inbox, Payload T>
  void publish(Inbox&, Outgoing<T>&) {}
};
struct SubscribesSilently : Least {
  using Least::Least;
  template <class Inbox, Payload T>
  void subscribe(Inbox&, const EventType<T>&) {}
};
struct UnsubscribeThrows : Least {
  using Least::Least;
  template <class Inbox>
  void unsubscribe(Inbox&, const EventTypeName&) {}
};
struct FlushesSilently : Least {
  using Least::Least;
  void flush(SteadyTime) {}
};
struct CloseThrows : Least {
  using Least::Least;
  void close(SteadyTime) {}
};

static_assert(Provider<Least>);
static_assert(!Provider<int> && !Provider<NoOptions> && !Provider<OpensSilently>);
static_assert(!Provider<PublishesSilently> && !Provider<SubscribesSilently>);
static_assert(!Provider<UnsubscribeThrows> && !Provider<FlushesSilently>);
static_assert(!Provider<CloseThrows>);

/// An inbox that takes the payload over, or refuses.
struct Inbox {
  template <Payload T>
  Status accept(Outgoing<T>& event) {
    if (full) return gossip::Errc::queue_full;
    taken = std::move(event.data);
    return {};
  }
  bool full = false;
  int taken = 0;
};

TEST_CASE("Outgoing: a provider moves out of what the publisher holds", "[provider]") {
  Least provider{Least::Options{}};
  constexpr EventType<int> type{"outgoing.test"};
  int data = 7;
  gossip::detail::Owner<gossip::detail::EventExtras> extras;
  // The entry belongs to a bus; this inbox never looks at it.
  alignas(64) static std::byte entry[64];
  Outgoing<int> event{type.key(), reinterpret_cast<gossip::detail::TypeEntry&>(entry), data,
                      gossip::detail::EventTime{}, extras};
  Inbox inbox;
  CHECK(provider.publish(inbox, event).ok());
  CHECK(inbox.taken == 7);
  inbox.full = true;
  CHECK(provider.publish(inbox, event) == gossip::Errc::queue_full);
}

}  // namespace
