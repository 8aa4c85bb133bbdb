// SPDX-License-Identifier: MIT
#include <gossip/redis/compression.hpp>

#include <catch2/catch_test_macros.hpp>

#include <cstddef>
#include <string>
#include <string_view>

using gossip::redis::deflate_bytes;
using gossip::redis::inflate_bytes;

namespace {

std::string deflated(std::string_view bytes) {
  std::string result;
  return deflate_bytes(bytes, result) ? result : "refused";
}
std::string inflated(std::string_view bytes, std::size_t most = 1 << 20) {
  std::string result;
  const auto status = inflate_bytes(bytes, most, result);
  return status.ok() ? result : std::string{status.error()->message()};
}

}  // namespace

TEST_CASE("compression: bytes come back", "[redis]") {
  for (const std::size_t size : {100U, 4095U, 4096U, 4097U, 8192U, 1000000U}) {
    std::string bytes;
    for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(i * i / 100);
    const std::string small = deflated(bytes);
    if (size > 1000) REQUIRE(small.size() < size);
    if (small != "refused") REQUIRE(inflated(small) == bytes);
  }
}

TEST_CASE("compression: what does not get smaller stays as it is", "[redis]") {
  REQUIRE(deflated("") == "refused");
  REQUIRE(deflated("abc") == "refused");
  std::string random;
  unsigned state = 1;
  for (int i = 0; i < 5000; ++i) {
    state = state * 1664525 + 1013904223;
    random += static_cast<char>(state >> 24U);
  }
  REQUIRE(deflated(random) == "refused");
}

TEST_CASE("compression: no more than the limit is made", "[redis]") {
  const std::string bomb = deflated(std::string(50'000'000, '\0'));
  REQUIRE(bomb.size() < 60'000);
  std::string bytes;
  REQUIRE(gossip::is_validation(inflate_bytes(bomb, 1 << 20, bytes)));
  REQUIRE(bytes.capacity() < 3 << 20);
  REQUIRE(inflated(bomb).find("maximum_payload") != std::string::npos);
  const std::string exact = deflated(std::string(5000, 'x'));
  REQUIRE(inflated(exact, 5000) == std::string(5000, 'x'));
  REQUIRE(inflated(exact, 4999).find("maximum_payload") != std::string::npos);
}

TEST_CASE("compression: what was not deflated is refused", "[redis]") {
  const std::string good = deflated(std::string(5000, 'x'));
  REQUIRE(inflated("").find("malformed") != std::string::npos);
  REQUIRE(inflated("plain text").find("malformed") != std::string::npos);
  for (std::size_t size = 0; size < good.size(); ++size) {
    REQUIRE(inflated(good.substr(0, size)).find("malformed") != std::string::npos);
  }
  REQUIRE(inflated(good + "x").find("after the end") != std::string::npos);
  std::string changed = good;
  changed.back() = static_cast<char>(changed.back() ^ 1);
  REQUIRE(inflated(changed).find("malformed") != std::string::npos);
}
