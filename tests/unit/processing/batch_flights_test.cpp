// SPDX-License-Identifier: MIT
#include <gossip/processing/batch_flights.hpp>

#include <catch2/catch_test_macros.hpp>

using gossip::Event;
using gossip::EventType;
using Buffers = gossip::detail::BatchBuffers<int>;
using Buffer = Buffers::Buffer;
using Stage = Buffer::Stage;

namespace {

constexpr EventType<int> number{"test.number"};

/// Two batches, of two events and of one.
struct Fixture {
  Fixture() {
    first.events.emplace_back(number, 1);
    first.events.emplace_back(number, 2);
    first.serial = 1;
    second.events.emplace_back(number, 3);
    second.serial = 2;
  }

  Buffers buffers{2};
  Buffer& first = buffers.take();
  Buffer& second = buffers.take();
  gossip::detail::BatchFlights<int> flights{2};
};

}  // namespace

TEST_CASE("BatchFlights: counts batches and their events until they are settled", "[batch]") {
  Fixture f;
  CHECK(f.flights.empty());
  f.flights.begin(f.first);
  CHECK(f.first.stage == Stage::running);
  CHECK_FALSE(f.flights.full());
  f.flights.begin(f.second);
  CHECK(f.flights.full());
  CHECK(f.flights.events() == 3);
  CHECK(f.flights.has_before(1));
  f.flights.end(f.first, 2);
  CHECK(f.first.stage == Stage::waiting);
  CHECK(f.flights.events() == 1);
  CHECK_FALSE(f.flights.has_before(1));
  CHECK(f.flights.has_before(2));
  f.flights.end(f.second, 1);
  CHECK(f.flights.empty());
}

TEST_CASE("BatchFlights: delayed batches come back in the order in which they become due",
          "[batch]") {
  Fixture f;
  f.flights.begin(f.first);
  f.flights.begin(f.second);
  f.first.stage = Stage::delayed;
  f.second.stage = Stage::delayed;
  CHECK_FALSE(f.flights.due());
  f.flights.make_due(f.second);
  CHECK(f.second.stage == Stage::running);
  f.flights.make_all_due();
  REQUIRE(f.flights.due());
  CHECK(&f.flights.take_due() == &f.second);
  CHECK(&f.flights.take_due() == &f.first);
  CHECK_FALSE(f.flights.due());
  CHECK(f.flights.full());  // a batch keeps its flush
}
