// SPDX-License-Identifier: MIT
#include <gossip/core/source_location.hpp>

#include <catch2/catch_test_macros.hpp>

#include <string_view>

namespace {

using gossip::SourceLocation;

struct Options {
  int value = 0;
  SourceLocation where = SourceLocation::current();
};

unsigned line_of(Options options = {}) { return options.where.line; }

TEST_CASE("SourceLocation: is the place of the call", "[location]") {
  const SourceLocation here = SourceLocation::current();
  CHECK(here.line == __LINE__ - 1);
  CHECK(std::string_view{here.file} == __FILE__);
  CHECK_FALSE(std::string_view{here.function}.empty());
  CHECK(SourceLocation{}.line == 0);
}

TEST_CASE("SourceLocation: in an aggregate it is the place where that is made", "[location]") {
  const Options given{.value = 1};
  CHECK(given.where.line == __LINE__ - 1);
  CHECK(line_of() == __LINE__);
  CHECK(line_of({.value = 2}) == __LINE__);
}

}  // namespace
