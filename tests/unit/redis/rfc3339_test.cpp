// SPDX-License-Identifier: MIT
#include <gossip/redis/rfc3339.hpp>

#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <limits>
#include <string>

using gossip::redis::append_time;
using gossip::redis::read_time;

namespace {

std::string written(std::int64_t time_ns) {
  std::string text;
  append_time(time_ns, text);
  return text;
}
/// The time that a text stands for; -1 if none.
std::int64_t read(const char* text) {
  std::int64_t time_ns = -1;
  return read_time(text, time_ns) ? time_ns : -1;
}

constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();

}  // namespace

TEST_CASE("rfc3339: times are written in UTC, zeros at the end of the fraction cut", "[redis]") {
  REQUIRE(written(0) == "1970-01-01T00:00:00Z");
  REQUIRE(written(1735787045123456789) == "2025-01-02T03:04:05.123456789Z");
  REQUIRE(written(1735787045120000000) == "2025-01-02T03:04:05.12Z");
  REQUIRE(written(1) == "1970-01-01T00:00:00.000000001Z");
  REQUIRE(written(-1) == "1969-12-31T23:59:59.999999999Z");
  REQUIRE(written(1709251199000000000) == "2024-02-29T23:59:59Z");
  REQUIRE(written(least) == "1677-09-21T00:12:43.145224192Z");
  REQUIRE(written(most) == "2262-04-11T23:47:16.854775807Z");
}

TEST_CASE("rfc3339: zones and fractions are read to the nanosecond", "[redis]") {
  REQUIRE(read("2025-01-02T03:04:05.123456789Z") == 1735787045123456789);
  REQUIRE(read("2025-01-02T03:04:05.1234567899Z") == 1735787045123456789);
  REQUIRE(read("2025-01-02t03:04:05.5z") == 1735787045500000000);
  REQUIRE(read("2025-01-02T08:34:05+05:30") == 1735787045000000000);
  REQUIRE(read("2025-01-01T23:04:05-04:00") == 1735787045000000000);
  REQUIRE(read("1969-12-31T23:59:58.5Z") == -1500000000);
  REQUIRE(read("1677-09-21T00:12:43.145224192Z") == least);
  REQUIRE(read("2262-04-11T23:47:16.854775807Z") == most);
}

TEST_CASE("rfc3339: what is no time, or too far away, is refused", "[redis]") {
  for (const char* text : {"",
                           "2025-01-02",
                           "2025-01-02T03:04:05",
                           "2025-01-02T03:04:05.Z",
                           "2025-01-02 03:04:05Z",
                           "2025-02-29T03:04:05Z",
                           "2025-13-02T03:04:05Z",
                           "2025-00-02T03:04:05Z",
                           "2025-01-02T24:04:05Z",
                           "2025-01-02T03:60:05Z",
                           "2025-01-02T03:04:60Z",
                           "2025-01-02T03:04:05ZZ",
                           "2025-01-02T03:04:05+0530",
                           "2025-01-02T03:04:05+24:00",
                           "2025-1-02T03:04:05Z",
                           "+025-01-02T03:04:05Z",
                           "0001-01-01T00:00:00Z",
                           "9999-12-31T23:59:59Z",
                           "1677-09-21T00:12:43.145224191Z",
                           "2262-04-11T23:47:16.854775808Z"}) {
    CAPTURE(text);
    REQUIRE(read(text) == -1);
  }
}
