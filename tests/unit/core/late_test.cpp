// SPDX-License-Identifier: MIT
#include <gossip/core/late.hpp>

#include <catch2/catch_test_macros.hpp>

#include <type_traits>

namespace {

using gossip::detail::Late;

template <class T>
struct Broken {
  static_assert(!std::is_void_v<T>, "made although nobody uses it");
};

template <class T>
struct Unused {
  int size() const { return sizeof(Late<Broken<void>, T>); }
};

TEST_CASE("Late: is the type it is given, and made only where the template is used", "[core]") {
  STATIC_REQUIRE(std::is_same_v<Late<int, char>, int>);
  STATIC_REQUIRE(std::is_same_v<Late<const int&, void>, const int&>);
  CHECK(std::is_empty_v<Unused<int>>);  // compiled, though size() could not be
}

}  // namespace
