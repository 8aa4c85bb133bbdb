// SPDX-License-Identifier: MIT
#include <gossip/core/owner.hpp>

#include "support/counted.hpp"

#include <catch2/catch_test_macros.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>

using gossip::detail::Owner;
using gossip::test::Counted;

TEST_CASE("Owner: deletes its object once", "[owner]") {
  {
    const Owner<Counted> owner{new Counted{7}};
    CHECK(owner);
    CHECK(owner->value == 7);
    CHECK((*owner).value == 7);
    CHECK(owner.get() == &*owner);
    CHECK(Counted::alive == 1);
  }
  CHECK(Counted::alive == 0);
  const Owner<Counted> empty;
  CHECK_FALSE(empty);
  CHECK(empty.get() == nullptr);
}

TEST_CASE("Owner: moving hands the object over, and deletes what the target had", "[owner]") {
  Owner<Counted> first{new Counted{1}};
  Owner<Counted> second{std::move(first)};
  CHECK_FALSE(first);
  CHECK(second->value == 1);
  first = Owner<Counted>{new Counted{2}};
  second = std::move(first);
  CHECK(second->value == 2);
  CHECK(Counted::alive == 1);
  auto& same = second;
  second = std::move(same);
  CHECK(second->value == 2);
  second.reset();
  CHECK(Counted::alive == 0);
  STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<Owner<Counted>>);
  STATIC_REQUIRE(std::is_nothrow_move_constructible_v<Owner<Counted>>);
}

TEST_CASE("Owner: release lets go", "[owner]") {
  Owner<Counted> owner{new Counted};
  Counted* object = owner.release();
  CHECK_FALSE(owner);
  CHECK(Counted::alive == 1);
  delete object;
}

TEST_CASE("Owner of an array: makes its values and deletes them", "[owner]") {
  {
    const Owner<Counted[]> owner{3};
    CHECK(Counted::alive == 3);
    CHECK(&owner[2] == owner.get() + 2);
  }
  CHECK(Counted::alive == 0);
  const Owner<int[]> zeros{100};
  for (std::size_t i = 0; i < 100; ++i) REQUIRE(zeros[i] == 0);
}
