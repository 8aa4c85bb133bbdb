// SPDX-License-Identifier: MIT
#include <gossip/core/rare_owner.hpp>

#include "support/counted.hpp"

#include <catch2/catch_test_macros.hpp>

#include <type_traits>
#include <utility>

using gossip::detail::RareOwner;
using gossip::test::Counted;

TEST_CASE("RareOwner: deletes its object once", "[rare_owner]") {
  {
    const RareOwner<Counted> owner{new Counted{7}};
    CHECK(owner);
    CHECK(owner->value == 7);
    CHECK(owner.get() == &*owner);
    CHECK(Counted::alive == 1);
  }
  CHECK(Counted::alive == 0);
  const RareOwner<const Counted> none;
  CHECK_FALSE(none);
  CHECK(none.get() == nullptr);
}

TEST_CASE("RareOwner: is moved, not copied", "[rare_owner]") {
  STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<RareOwner<Counted>>);
  RareOwner<Counted> first{new Counted{1}};
  RareOwner<Counted> second{std::move(first)};
  CHECK_FALSE(first);  // NOLINT(bugprone-use-after-move)
  CHECK(second->value == 1);
  first = RareOwner<Counted>{new Counted{2}};
  CHECK(Counted::alive == 2);
  first = std::move(second);
  CHECK(Counted::alive == 1);
  CHECK(first->value == 1);
  first = {};
  CHECK(Counted::alive == 0);
}

TEST_CASE("RareOwner: one that owned nothing learns how to delete", "[rare_owner]") {
  {
    RareOwner<Counted> late;
    RareOwner<Counted> early{new Counted{1}};
    late = std::move(early);
    CHECK_FALSE(early);  // NOLINT(bugprone-use-after-move)
    CHECK(late->value == 1);
  }
  CHECK(Counted::alive == 0);
}

TEST_CASE("RareOwner: one that is moved to itself stays as it is", "[rare_owner]") {
  RareOwner<Counted> owner{new Counted{1}};
  RareOwner<Counted>& same = owner;
  owner = std::move(same);
  CHECK(Counted::alive == 1);
  REQUIRE(owner);
  CHECK(owner->value == 1);
}
