// SPDX-License-Identifier: MIT
#include <gossip/core/event_header.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <latch>
#include <memory>
#include <set>
#include <thread>
#include <utility>
#include <vector>

namespace {

using gossip::EventId;
using gossip::EventType;
using gossip::Priority;
using gossip::Receipt;
using gossip::ReceiptState;
using gossip::Timestamp;
using gossip::detail::EventHeader;
using gossip::detail::EventSource;
using gossip::detail::EventTime;
using gossip::detail::first_ticket;
using gossip::detail::is_numbered;
using gossip::detail::LazyEventId;

constexpr EventType<int> type{"header.test"};

/// A source whose ticks are milliseconds since 1970.
EventSource milliseconds_source() {
  return {77, nullptr, [](const void*, std::uint64_t ticks) {
            return Timestamp{std::chrono::milliseconds{ticks}};
          }};
}

/// A header as a delivery has it.
EventHeader delivered(const EventSource& source, std::uint64_t ticks, std::uint64_t number) {
  EventHeader header{type.key()};
  header.time = EventTime{ticks};
  header.source = &source;
  header.sequence = number;
  return header;
}

TEST_CASE("LazyEventId: does not exist until somebody asks, then stays", "[event_header]") {
  const LazyEventId id;
  CHECK_FALSE(id.exists());
  const EventId first = id.get();
  CHECK(id.exists());
  CHECK(id.get() == first);
  CHECK(first.origin != 0);
  CHECK(LazyEventId{}.get() != first);
}

TEST_CASE("LazyEventId: a copy has the same id, whichever is asked first", "[event_header]") {
  const LazyEventId original;
  const LazyEventId copy{original};
  CHECK(copy.get() == original.get());
  LazyEventId assigned;
  assigned = original;
  CHECK(assigned.get() == original.get());
}

TEST_CASE("LazyEventId: moving makes no id and keeps one that exists", "[event_header]") {
  LazyEventId fresh;
  const LazyEventId moved{std::move(fresh)};
  CHECK_FALSE(moved.exists());
  LazyEventId given{EventId{3, 4}};
  const LazyEventId kept{std::move(given)};
  CHECK(kept.exists());
  CHECK(kept.get() == EventId{3, 4});
}

TEST_CASE("LazyEventId: threads that ask at once get the same id", "[event_header]") {
  constexpr std::size_t threads = 4;
  for (int round = 0; round < 50; ++round) {
    const LazyEventId id;
    std::vector<EventId> seen(threads);
    std::latch start{threads};
    {
      std::vector<std::jthread> pool;
      for (EventId& mine : seen) {
        pool.emplace_back([&id, &mine, &start] {
          start.arrive_and_wait();
          mine = id.get();
        });
      }
    }
    const std::set<EventId> distinct{seen.begin(), seen.end()};
    REQUIRE(distinct.size() == 1);
    REQUIRE(*distinct.begin() == id.get());
  }
}

TEST_CASE("EventTime: absolute times need no source; ticks do", "[event_header]") {
  const Timestamp time{std::chrono::nanoseconds{1'700'000'000'123'456'789}};
  CHECK(EventTime::at(time).resolve(nullptr) == time);
  const EventSource source = milliseconds_source();
  CHECK(EventTime::at(time).resolve(&source) == time);
  CHECK(EventTime{5}.resolve(&source) == Timestamp{std::chrono::milliseconds{5}});
}

TEST_CASE("EventTime: no time is the epoch, and so is a time before it", "[event_header]") {
  const EventSource source = milliseconds_source();
  CHECK(EventTime{}.resolve(&source) == Timestamp{});
  CHECK(EventTime{}.resolve(nullptr) == Timestamp{});
  CHECK(EventTime::at(Timestamp{}).raw() == 0);
  CHECK(EventTime::at(Timestamp{std::chrono::nanoseconds{-1}}).raw() == 0);
}

TEST_CASE("EventHeader: built by a user it is stamped with the time now", "[event_header]") {
  const auto before = std::chrono::system_clock::now();
  const EventHeader header{type.key()};
  const auto after = std::chrono::system_clock::now();
  CHECK(header.timestamp() >= before);
  CHECK(header.timestamp() <= after);
}

TEST_CASE("EventHeader: while delivered it asks its source", "[event_header]") {
  const EventSource source = milliseconds_source();
  const EventHeader header = delivered(source, 9, 4);
  CHECK(header.timestamp() == Timestamp{std::chrono::milliseconds{9}});
  CHECK(header.id() == EventId{77, 4});
  CHECK_FALSE(header.own_id.exists());
}

TEST_CASE("EventHeader: an id of its own comes before the source's number", "[event_header]") {
  const EventSource source = milliseconds_source();
  EventHeader header = delivered(source, 9, 4);
  header.own_id = LazyEventId{EventId{1, 2}};
  CHECK(header.id() == EventId{1, 2});
}

TEST_CASE("EventHeader: a copy holds what the source explained and outlives it", "[event_header]") {
  auto source = std::make_unique<EventSource>(milliseconds_source());
  const std::uint64_t number = first_ticket(Priority::low) + 4;
  auto original = std::make_unique<EventHeader>(delivered(*source, 9, number));
  original->metadata = gossip::detail::HeldMetadata{gossip::Metadata{}};
  original->metadata->set("k", 1);
  const EventHeader copy{*original};
  EventHeader assigned{type.key()};
  assigned = *original;
  original.reset();
  source.reset();
  for (const EventHeader* header : {&copy, &std::as_const(assigned)}) {
    CHECK(header->source == nullptr);
    CHECK(header->timestamp() == Timestamp{std::chrono::milliseconds{9}});
    CHECK(header->id() == EventId{77, number});
    REQUIRE(header->metadata);
    CHECK(*header->metadata->find("k") == gossip::MetadataValue{1});
    CHECK(header->priority() == Priority::low);
  }
  CHECK(assigned.metadata);
  CHECK(assigned.metadata.get() != copy.metadata.get());
}

TEST_CASE("EventHeader: the number tells the priority", "[event_header]") {
  const EventSource source = milliseconds_source();
  for (const Priority priority : {Priority::high, Priority::normal, Priority::low}) {
    const EventHeader header = delivered(source, 9, first_ticket(priority) + 4);
    CHECK(is_numbered(header.sequence));
    CHECK(header.priority() == priority);
  }
}

TEST_CASE("EventHeader: without a number it keeps any priority, even one that there is not",
          "[event_header]") {
  EventHeader header{type.key()};
  CHECK(header.priority() == Priority::normal);
  const EventId id = header.id();
  for (unsigned value = 0; value < 256; ++value) {
    const auto priority = static_cast<Priority>(value);
    header.set_priority(priority);
    const EventHeader copy{header};
    for (const EventHeader* each : {&std::as_const(header), &copy}) {
      CHECK_FALSE(is_numbered(each->sequence));
      CHECK(each->priority() == priority);
      CHECK(each->id() == id);
    }
  }
}

TEST_CASE("EventHeader: moved, it takes its receipt along; a copy has none", "[event_header]") {
  ReceiptState state{[](ReceiptState* settled) noexcept { settled->failed = true; }};
  {
    EventHeader original{type.key()};
    original.receipt = Receipt{&state};
    const EventHeader copy{original};
    EventHeader target{type.key()};
    target = original;
    CHECK_FALSE(copy.receipt);
    CHECK_FALSE(target.receipt);
    target = std::move(original);
    CHECK(target.receipt);
    const EventHeader last{std::move(target)};
    CHECK(last.receipt);
    CHECK_FALSE(state.failed);
  }
  CHECK(state.failed);
}

TEST_CASE("EventHeader: what is beside the payload goes into the header that takes it",
          "[event_header]") {
  ReceiptState state{[](ReceiptState* settled) noexcept { settled->failed = true; }};
  {
    auto extras = std::make_unique<gossip::detail::EventExtras>();
    extras->own_id = LazyEventId{EventId{5, 6}};
    extras->metadata = gossip::detail::HeldMetadata{gossip::Metadata{}};
    extras->receipt = Receipt{&state};
    const EventSource source = milliseconds_source();
    const EventHeader header{gossip::detail::DeliveredHeader{
        type.key(), EventTime{9}, &source, first_ticket(Priority::high), extras.release()}};
    CHECK(header.id() == EventId{5, 6});
    CHECK(header.metadata);
    CHECK(header.receipt);
    CHECK(header.priority() == Priority::high);
    CHECK_FALSE(state.failed);
  }
  CHECK(state.failed);
}

}  // namespace
