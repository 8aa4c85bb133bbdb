// SPDX-License-Identifier: MIT
#include <gossip/core/processor_layers.hpp>

#include <catch2/catch_test_macros.hpp>

#include <string_view>

namespace {

using gossip::detail::layers_of;
using gossip::detail::ProcessorLayer;

struct Plain {
  void operator()(int) const {}
};
template <class Next>
struct Outer {
  static constexpr const char* middleware_name = "outer";
  using wrapped_type = Next;
};
template <class Next>
struct Silent {
  using wrapped_type = Next;
};
struct Sink {
  static constexpr const char* middleware_name = "sink";
};

TEST_CASE("layers_of: the layers that say what they are, from the outside", "[layers]") {
  STATIC_REQUIRE(layers_of<Plain>() == nullptr);
  STATIC_REQUIRE(layers_of<void (*)(int)>() == nullptr);
  STATIC_REQUIRE(layers_of<Silent<Plain>>() == nullptr);
  constexpr const ProcessorLayer* one = layers_of<Outer<Silent<Plain>>>();
  STATIC_REQUIRE(std::string_view{one->name} == "outer");
  STATIC_REQUIRE(one->inner == nullptr);
  constexpr const ProcessorLayer* two = layers_of<Silent<Outer<Silent<Sink>>>>();
  STATIC_REQUIRE(std::string_view{two->name} == "outer");
  STATIC_REQUIRE(std::string_view{two->inner->name} == "sink");
  STATIC_REQUIRE(two->inner->inner == nullptr);
}

}  // namespace
