// SPDX-License-Identifier: MIT
#include <gossip/core/text.hpp>

#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <string>

using gossip::detail::Decimal;
using gossip::detail::join;

TEST_CASE("join: the parts come one after the other", "[text]") {
  const std::string name = "worker";
  CHECK(join({name, " ", Decimal{12}, " of ", Decimal{0}}) == "worker 12 of 0");
  CHECK(join({}).empty());
  CHECK(join({"", ""}).empty());
}

TEST_CASE("Decimal: any number, without leading zeros", "[text]") {
  for (const std::uint64_t number : {std::uint64_t{0}, std::uint64_t{7}, std::uint64_t{10},
                                     std::uint64_t{65'535}, std::uint64_t{1} << 63U, UINT64_MAX}) {
    CHECK(join({Decimal{number}}) == std::to_string(number));
  }
}

TEST_CASE("signed_decimal: any int", "[text]") {
  for (const int number : {0, 7, -7, INT32_MAX, INT32_MIN}) {
    CHECK(gossip::detail::signed_decimal(number) == std::to_string(number));
  }
}
