// SPDX-License-Identifier: MIT
#include <gossip/core/processor_layers.hpp>
#include <gossip/core/shared_processor.hpp>

#include <catch2/catch_test_macros.hpp>

#include <memory>
#include <stop_token>
#include <string_view>

namespace {

struct Count {
  static constexpr const char* middleware_name = "count";
  int calls = 0;
  void operator()(int value) { calls += value; }
};

TEST_CASE("SharedProcessor: copies call one processor, and say what it is", "[processor]") {
  constexpr gossip::EventType<int> type{"shared.number"};
  using Shared = gossip::detail::SharedProcessor<int, Count>;
  const Shared first{std::make_shared<Count>()};
  const Shared second = first;
  const std::stop_token stop;
  gossip::Context context{stop};
  CHECK(first(gossip::Event{type, 2}, context).ok());
  CHECK(second(gossip::Event{type, 3}, context).ok());
  CHECK(first.processor->calls == 5);
  STATIC_REQUIRE(gossip::Processor<Shared, int>);
  CHECK(std::string_view{gossip::detail::layers_of<Shared>()->name} == "count");
}

}  // namespace
