// SPDX-License-Identifier: MIT
#include <gossip/redis/resp.hpp>

#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <string>
#include <string_view>

using gossip::redis::append_bulk;
using gossip::redis::append_bulks;
using gossip::redis::append_head;
using gossip::redis::Digits;

TEST_CASE("resp: numbers are decimal, to the last digit", "[redis]") {
  REQUIRE(Digits{0}.text() == "0");
  REQUIRE(Digits{INT64_MIN}.text() == "-9223372036854775808");
  REQUIRE(Digits{UINT64_MAX}.text() == "18446744073709551615");
}

TEST_CASE("resp: heads and bulk strings are appended, whatever the bytes", "[redis]") {
  std::string wire{"before"};
  append_head(wire, '*', 12);
  append_bulk(wire, std::string_view{"\0\r\n", 3});
  append_bulk(wire, "");
  REQUIRE(wire == "before*12\r\n$3\r\n" + std::string("\0\r\n", 3) + "\r\n$0\r\n\r\n");
}

TEST_CASE("resp: bulk strings that are appended in one go are as if one by one", "[redis]") {
  std::string wire{"before"};
  append_bulks(wire, {"id", "", std::string_view{"\0\r\n", 3}, "0123456789"});
  REQUIRE(wire == "before$2\r\nid\r\n$0\r\n\r\n$3\r\n" + std::string("\0\r\n", 3) +
                      "\r\n$10\r\n0123456789\r\n");
}

TEST_CASE("resp: the sizes of heads and bulk strings are known before they are written",
          "[redis]") {
  for (const std::size_t count : {0U, 9U, 10U, 99U, 100U, 12'345U}) {
    std::string head;
    append_head(head, '*', count);
    REQUIRE(head.size() == gossip::redis::head_size(count));
    std::string bulk;
    append_bulk(bulk, std::string(count, 'x'));
    REQUIRE(bulk.size() == gossip::redis::bulk_size(count));
  }
}
