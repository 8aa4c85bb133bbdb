// SPDX-License-Identifier: MIT
#include <gossip/redis/command.hpp>

#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

using gossip::redis::Command;

TEST_CASE("Command: it is written as an array of bulk strings", "[redis]") {
  std::string wire = "x";
  Command{"SET", "key"}.add(std::string{"a\r\n\0b", 5}).append_to(wire);
  REQUIRE(wire == std::string{"x*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\na\r\n\0b\r\n", 34});
}

TEST_CASE("Command: numbers and empty arguments keep their places", "[redis]") {
  const auto command =
      Command{"XADD"}.add("").add(std::numeric_limits<std::int64_t>::min()).add(std::int64_t{7});
  REQUIRE(command.arguments() == std::vector<std::string>{"XADD", "", "-9223372036854775808", "7"});
  REQUIRE(command.name() == "XADD");
  std::string wire;
  Command{""}.append_to(wire);
  REQUIRE(wire == "*1\r\n$0\r\n\r\n");
}
