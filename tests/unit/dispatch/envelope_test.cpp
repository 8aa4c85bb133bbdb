// SPDX-License-Identifier: MIT
#include <gossip/dispatch/envelope.hpp>

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string>

using gossip::Event;
using gossip::EventType;
using gossip::inline_payload_bytes;
using gossip::detail::Envelope;
using gossip::detail::EventSource;
using gossip::detail::Parcel;
using gossip::detail::travels_inline;

namespace {

template <std::size_t Bytes>
struct Block {
  std::array<std::byte, Bytes> bytes{};
};
struct ThrowingMove {
  ThrowingMove() = default;
  ThrowingMove(ThrowingMove&&) noexcept(false) {}
};
struct alignas(32) Aligned {};
struct alignas(64) OverAligned {};
struct Big {
  std::unique_ptr<int> owned;
  std::array<std::byte, 200> bytes{};
};

template <class T>
void round_trip(T& value, auto&& check) {
  const auto type = EventType<T>::parse("envelope.test");
  Parcel<T> parcel{type.key(), value};
  alignas(Envelope) std::byte storage[sizeof(Envelope)];
  auto* envelope = ::new (static_cast<void*>(storage)) Envelope;
  envelope->time = {};
  envelope->extras = nullptr;
  parcel.put_into(envelope->payload);
  const EventSource source{77, nullptr, nullptr};
  int freed = 0;
  int used = 0;
  gossip::detail::open_envelope<T>(
      *envelope, type.key(), source, 5, [&] { ++freed; },
      [&](const Event<T>& event) {
        ++used;
        REQUIRE(freed == 1);  // the slot is free before the processors run
        REQUIRE(event.type() == "envelope.test");
        REQUIRE(event.id() == gossip::EventId{77, 5});
        check(event.data());
      });
  REQUIRE(used == 1);
}

}  // namespace

TEST_CASE("travels_inline: size, alignment and moves decide", "[dispatch]") {
  STATIC_REQUIRE(inline_payload_bytes == 96);
  STATIC_REQUIRE(travels_inline<void>);
  STATIC_REQUIRE(travels_inline<int>);
  STATIC_REQUIRE(travels_inline<std::string>);
  STATIC_REQUIRE(travels_inline<Block<96>>);
  STATIC_REQUIRE_FALSE(travels_inline<Block<97>>);
  STATIC_REQUIRE(travels_inline<Aligned>);
  STATIC_REQUIRE_FALSE(travels_inline<OverAligned>);
  STATIC_REQUIRE_FALSE(travels_inline<ThrowingMove>);
}

TEST_CASE("Envelope: a payload that travels inline comes out as it went in", "[dispatch]") {
  auto value = std::make_unique<int>(42);
  round_trip(value, [](const std::unique_ptr<int>& out) { REQUIRE(*out == 42); });
  REQUIRE(value == nullptr);
}

TEST_CASE("Envelope: a payload in a box comes out as it went in", "[dispatch]") {
  Big value{std::make_unique<int>(43), {}};
  round_trip(value, [](const Big& out) { REQUIRE(*out.owned == 43); });
}

TEST_CASE("Parcel: a payload for which there was no space is given back", "[dispatch]") {
  const EventType<Big> type{"envelope.big"};
  Big value{std::make_unique<int>(44), {}};
  {
    Parcel<Big> parcel{type.key(), value};
    REQUIRE(value.owned == nullptr);
    parcel.give_back();
  }
  REQUIRE(value.owned != nullptr);
  REQUIRE(*value.owned == 44);
}
