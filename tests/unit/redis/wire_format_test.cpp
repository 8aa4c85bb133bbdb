// SPDX-License-Identifier: MIT
#include <gossip/redis/wire_format.hpp>

#include <catch2/catch_test_macros.hpp>

TEST_CASE("WireFormat: stream_fields is the first", "[redis]") {
  STATIC_REQUIRE(gossip::redis::WireFormat{} == gossip::redis::WireFormat::stream_fields);
}
