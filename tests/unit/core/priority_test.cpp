// SPDX-License-Identifier: MIT
#include <gossip/core/priority.hpp>

#include <catch2/catch_test_macros.hpp>

#include <string>

namespace {

using gossip::Priority;

TEST_CASE("Priority: has three names and a text for what is none", "[priority]") {
  CHECK(std::string{gossip::to_string(Priority::high)} == "high");
  CHECK(std::string{gossip::to_string(Priority::normal)} == "normal");
  CHECK(std::string{gossip::to_string(Priority::low)} == "low");
  CHECK(std::string{gossip::to_string(static_cast<Priority>(9))} == "unknown");
}

TEST_CASE("Priority: the more urgent has the smaller number", "[priority]") {
  CHECK(Priority::high < Priority::normal);
  CHECK(Priority::normal < Priority::low);
}

}  // namespace
