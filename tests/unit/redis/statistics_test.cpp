// SPDX-License-Identifier: MIT
#include <gossip/redis/statistics.hpp>

#include <catch2/catch_test_macros.hpp>

TEST_CASE("redis statistics: nothing has happened at first", "[redis]") {
  const gossip::redis::WriterStatistics writer;
  const gossip::redis::ReaderStatistics reader;
  REQUIRE(writer.accepted + writer.published + writer.failed + writer.rejected == 0);
  REQUIRE(writer.sent_again + writer.reconnects + writer.waiting == 0);
  REQUIRE(reader.received + reader.duplicates + reader.acknowledged + reader.not_handled == 0);
  REQUIRE(reader.claimed + reader.dead_lettered + reader.trimmed + reader.dropped == 0);
  REQUIRE(reader.gaps + reader.in_flight == 0);
}
