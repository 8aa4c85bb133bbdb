// SPDX-License-Identifier: MIT
// What each provider promises, as tests/redis/README.md has it, and as it is found to be.
#include <gossip/testing/provider_conformance.hpp>

#include "support/redis_bus.hpp"

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <cstddef>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

using gossip::BusOptions;
using gossip::EventBus;
using gossip::redis::Delivery;
using gossip::redis::RedisOptions;
using gossip::redis::StartAt;
using gossip::test::RedisBus;
using gossip::test::RedisServer;
using gossip::testing::check_provider;
using gossip::testing::Finding;
using gossip::testing::ProviderPromises;
using namespace std::chrono_literals;

namespace {

std::vector<Finding> in_memory() {
  return check_provider(
      [](BusOptions options) { return std::make_unique<EventBus<>>(std::move(options)); });
}

std::vector<Finding> over_redis(ProviderPromises promises, RedisOptions chosen) {
  RedisServer server;
  RedisOptions options = server.options();
  options.delivery = chosen.delivery;
  options.group = chosen.group;
  options.start_at = chosen.start_at;
  options.claim_after = 5s;
  options.fail_fast = true;
  promises.restart = [&] { server.restart(); };
  return check_provider(
      [&](BusOptions bus) { return std::make_unique<RedisBus>(std::move(bus), options); },
      promises);
}

const char* cell(const Finding& finding) {
  switch (finding.verdict) {
    case Finding::Verdict::kept: return "yes";
    case Finding::Verdict::broken: return "NO";
    case Finding::Verdict::not_promised: break;
  }
  return "-";
}

/// The lines of the README's table, without what is before and behind.
std::string table_of_readme() {
  std::ifstream file{GOSSIP_TEST_DATA "/redis/README.md"};
  std::string table;
  for (std::string line; std::getline(file, line);) {
    if (line.find("| promise |") == 0)
      table = line + '\n';
    else if (!table.empty() && line.find('|') == 0)
      table += line + '\n';
    else if (!table.empty())
      break;
  }
  return table;
}

}  // namespace

TEST_CASE("conformance: every provider keeps what the README says", "[redis][conformance]") {
  const auto memory = in_memory();
  const auto channels = over_redis({.full_queue_loses_nothing = false,
                                    .shutdown_loses_nothing = false,
                                    .every_bus_hears_all = true},
                                   {.delivery = Delivery::pub_sub});
  const auto streams = over_redis({.every_bus_hears_all = true, .latecomers_hear_all = true},
                                  {.start_at = StartAt::beginning});
  const auto group = over_redis({.buses_share = true, .latecomers_hear_all = true},
                                {.group = "conformance", .start_at = StartAt::beginning});
  std::ostringstream table;
  table
      << "| promise | in memory | Pub/Sub | streams | streams, a group |\n|---|---|---|---|---|\n";
  for (std::size_t i = 0; i < memory.size(); ++i) {
    table << "| " << memory[i].promise << " | " << cell(memory[i]) << " | " << cell(channels[i])
          << " | " << cell(streams[i]) << " | " << cell(group[i]) << " |\n";
  }
  INFO("in memory\n"
       << to_string(memory) << "Pub/Sub\n"
       << to_string(channels) << "streams\n"
       << to_string(streams) << "streams, a group\n"
       << to_string(group));
  CHECK(table.str() == table_of_readme());
}
