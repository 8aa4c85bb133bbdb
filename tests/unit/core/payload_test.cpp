// SPDX-License-Identifier: MIT
#include <gossip/core/payload.hpp>

#include <catch2/catch_test_macros.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace shop {
struct OrderPlaced {};
}  // namespace shop

namespace {

using gossip::NoData;
using gossip::Payload;
using gossip::StoredPayload;

struct CannotMove {
  CannotMove() = default;
  CannotMove(const CannotMove&) = delete;
  CannotMove& operator=(const CannotMove&) = delete;
};

static_assert(Payload<int> && Payload<std::string> && Payload<void>);
static_assert(Payload<std::unique_ptr<int>>, "a move-only payload");
static_assert(!Payload<int&> && !Payload<const int> && !Payload<int[3]> && !Payload<int()>);
static_assert(!Payload<CannotMove>);
static_assert(std::is_same_v<StoredPayload<int>, int>);
static_assert(std::is_same_v<StoredPayload<void>, NoData>);
static_assert(NoData{} == NoData{});

TEST_CASE("payload_info: one object per type", "[payload]") {
  CHECK(&gossip::payload_info<int>() == &gossip::payload_info<int>());
  CHECK(&gossip::payload_info<int>() != &gossip::payload_info<long>());
  CHECK(&gossip::payload_info<void>() != &gossip::payload_info<NoData>());
}

TEST_CASE("payload_info: names the type as the compiler does", "[payload]") {
  CHECK(gossip::payload_info<int>().name == "int");
  CHECK(gossip::payload_info<void>().name == "void");
  CHECK(gossip::payload_info<shop::OrderPlaced>().name == "shop::OrderPlaced");
  CHECK(gossip::payload_info<std::vector<int>>().name.find("vector<int") != std::string_view::npos);
}

}  // namespace
