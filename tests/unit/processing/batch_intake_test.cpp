// SPDX-License-Identifier: MIT
#include <gossip/processing/batch_intake.hpp>

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <utility>

using gossip::BatchOptions;
using gossip::BatchStatistics;
using gossip::Event;
using gossip::EventType;
using Intake = gossip::detail::BatchIntake<int>;

namespace {

constexpr EventType<int> number{"test.number"};

struct Fixture {
  explicit Fixture(BatchOptions<int> chosen) : options{std::move(chosen)} {}

  void append(int value, std::size_t bytes = 0) {
    Event<int> event{number, value};
    intake.append(event, bytes);
  }

  bool append_in_passing(int value, std::size_t bytes = 0) {
    Event<int> event{number, value};
    return intake.append_in_passing(event, bytes);
  }

  const BatchOptions<int> options;
  BatchStatistics statistics;
  Intake intake{options, statistics};
};

}  // namespace

TEST_CASE("BatchIntake: fills, closes and hands out in order", "[batch]") {
  Fixture f{{.size = 2, .max_pending = 4}};
  CHECK(f.intake.filling() == nullptr);
  CHECK_FALSE(f.intake.ready());
  f.append(1);
  CHECK_FALSE(f.intake.full());
  f.append(2);
  CHECK(f.intake.full());
  f.intake.close_filling(&BatchStatistics::by_size);
  f.append(3);
  CHECK(f.intake.waiting() == 3);
  CHECK(f.intake.last_serial() == 2);
  CHECK(f.intake.has_before(1));
  REQUIRE(f.intake.ready());
  auto& batch = f.intake.take();
  CHECK(batch.span()[0].data() == 1);
  CHECK(batch.serial == 1);
  CHECK(f.intake.waiting() == 1);
  CHECK_FALSE(f.intake.has_before(1));
  CHECK(f.intake.has_before(2));
  CHECK(f.statistics.by_size == 1);
  CHECK(f.statistics.accepted == 3);
}

TEST_CASE("BatchIntake: takes an event in passing if nothing else follows from it", "[batch]") {
  Fixture f{{.size = 4, .max_pending = 5}};
  CHECK_FALSE(f.append_in_passing(1));  // the first
  f.append(1);
  CHECK(f.append_in_passing(2));
  CHECK(f.append_in_passing(3));
  CHECK_FALSE(f.append_in_passing(4));  // the last
  CHECK(f.statistics.accepted == 3);
  CHECK(f.intake.waiting() == 3);
  f.append(4);
  CHECK_FALSE(f.append_in_passing(5));
  REQUIRE(f.intake.full());
  f.intake.close_filling(&BatchStatistics::by_size);
  CHECK_FALSE(f.append_in_passing(5));
  f.append(5);
  CHECK(f.intake.crowded());
  CHECK_FALSE(f.append_in_passing(6));  // there is no space
  CHECK(f.intake.take().span()[1].data() == 2);
}

TEST_CASE("BatchCopy: is made where it stays, as any copy, and its event stays what it is",
          "[batch]") {
  using gossip::detail::first_ticket;
  const gossip::detail::EventSource source{
      77, nullptr, [](const void*, std::uint64_t ticks) {
        return gossip::Timestamp{std::chrono::milliseconds{ticks}};
      }};
  const auto delivered = [&source](std::uint64_t ticket) {
    return gossip::detail::EventAccess::make<int>(
        {number.key(), gossip::detail::EventTime{9}, &source, ticket}, 5);
  };
  const Event<int> events[] = {
      delivered(first_ticket(gossip::Priority::normal) + 1),
      delivered(first_ticket(gossip::Priority::high) + 2),
      delivered(first_ticket(gossip::Priority::low) + 3),
      Event<int>{number, 5}.with_priority(gossip::Priority::high),
      Event<int>{number, 5},
  };
  Fixture f{{.size = 10}};
  f.append(0);
  for (const Event<int>& event : events) {
    gossip::detail::BatchCopy<int> copy{event};
    REQUIRE(f.intake.append_in_passing(copy, 0));
    CHECK(event.data() == 5);
  }
  f.intake.close_filling(&BatchStatistics::by_flush);
  const auto batch = f.intake.take().span().subspan(1);
  REQUIRE(batch.size() == std::size(events));
  for (std::size_t i = 0; i < batch.size(); ++i) {
    CHECK(batch[i].data() == 5);
    CHECK(batch[i].type() == events[i].type());
    CHECK(batch[i].id() == events[i].id());
    CHECK(batch[i].timestamp() == events[i].timestamp());
    CHECK(batch[i].priority() == events[i].priority());
    CHECK(batch[i].metadata().empty());
    CHECK(gossip::detail::EventAccess::header(batch[i]).source == nullptr);
  }
}

TEST_CASE("BatchIntake: takes nothing in passing into a batch that is closed", "[batch]") {
  Fixture f{{.size = 4}};
  f.append(1);
  f.intake.demand(&BatchStatistics::by_flush);
  CHECK(f.append_in_passing(2));  // it is still being filled
  CHECK(f.intake.take().size() == 2);
  CHECK_FALSE(f.append_in_passing(3));
}

TEST_CASE("BatchIntake: takes nothing in passing where bytes have to be looked at", "[batch]") {
  Fixture f{{.size = 4, .max_bytes = 10}};
  f.append(1, 1);
  CHECK_FALSE(f.append_in_passing(2, 1));
}

TEST_CASE("BatchIntake: a demanded batch goes on filling until its turn comes", "[batch]") {
  Fixture f{{.size = 3}};
  f.intake.demand(&BatchStatistics::by_flush);
  CHECK_FALSE(f.intake.ready());  // there is nothing to demand
  f.append(1);
  f.intake.demand(&BatchStatistics::by_period);
  f.intake.demand(&BatchStatistics::by_flush);
  CHECK(f.intake.ready());
  f.append(2);
  auto& batch = f.intake.take();
  CHECK(batch.size() == 2);
  CHECK_FALSE(f.intake.ready());
  CHECK(f.statistics.by_period == 1);
  CHECK(f.statistics.by_flush == 0);
}

TEST_CASE("BatchIntake: bytes", "[batch]") {
  Fixture f{{.size = 9, .max_bytes = 10, .bytes_of = [](const Event<int>&) { return 0U; }}};
  CHECK(f.intake.fits(100));
  f.append(1, 6);
  CHECK(f.intake.fits(4));
  CHECK_FALSE(f.intake.fits(5));
  CHECK_FALSE(f.intake.full());
  f.append(2, 4);
  CHECK(f.intake.full());
}

TEST_CASE("BatchIntake: drops the oldest event, and a batch with its last", "[batch]") {
  Fixture f{{.size = 2, .max_pending = 4}};
  for (const int i : {1, 2, 3, 4}) {
    f.append(i);
    if (f.intake.full()) f.intake.close_filling(&BatchStatistics::by_size);
  }
  REQUIRE(f.intake.crowded());
  CHECK(f.intake.drop_oldest() == nullptr);
  CHECK_FALSE(f.intake.crowded());
  f.append(5);
  REQUIRE(f.intake.crowded());
  auto* emptied = f.intake.drop_oldest();
  REQUIRE(emptied != nullptr);
  CHECK(emptied->size() == 0);
  emptied->clear();
  f.intake.give_back(*emptied);
  CHECK(f.intake.waiting() == 3);
  CHECK(f.intake.take().span()[0].data() == 3);
  CHECK(f.statistics.dropped_oldest == 2);
}
