// SPDX-License-Identifier: MIT
#include <gossip/core/held_metadata.hpp>

#include <catch2/catch_test_macros.hpp>

#include <utility>

using gossip::Metadata;
using gossip::detail::HeldMetadata;

namespace {

HeldMetadata some() {
  Metadata metadata;
  metadata.set("answer", 42);
  return HeldMetadata{std::move(metadata)};
}

}  // namespace

TEST_CASE("HeldMetadata: holds none as default", "[held_metadata]") {
  const HeldMetadata none;
  CHECK_FALSE(none);
  CHECK(none.get() == nullptr);
  const HeldMetadata copy{none};
  CHECK_FALSE(copy);
}

TEST_CASE("HeldMetadata: a copy has a copy", "[held_metadata]") {
  const HeldMetadata held = some();
  HeldMetadata copy{held};
  REQUIRE(copy);
  copy->set("answer", 43);
  CHECK(*held->find("answer") == gossip::MetadataValue{42});
  CHECK(*copy.get()->find("answer") == gossip::MetadataValue{43});
  copy = held;
  CHECK(*copy->find("answer") == gossip::MetadataValue{42});
}

TEST_CASE("HeldMetadata: a moved-from one has none", "[held_metadata]") {
  HeldMetadata held = some();
  const Metadata* address = held.get();
  HeldMetadata taken{std::move(held)};
  CHECK(taken.get() == address);
  CHECK_FALSE(held);  // NOLINT(bugprone-use-after-move)
  held = std::move(taken);
  CHECK(held.get() == address);
  held = {};
  CHECK_FALSE(held);
}
