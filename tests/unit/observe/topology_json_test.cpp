// SPDX-License-Identifier: MIT
#include <gossip/observe/topology_json.hpp>

#include "support/json_check.hpp"
#include "support/small_topology.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>

namespace {

using gossip::to_json;
using gossip::Topology;
using gossip::test::JsonCheck;
using gossip::test::small_topology;

TEST_CASE("to_json: all of it", "[topology]") {
  const std::string json = to_json(small_topology());
  CHECK(
      json ==
      R"({"provider": "gossip::InMemoryProvider", "workers": 1, "capacity": 64, )"
      R"("overflow": "block", "types": [{"event_type": "user.created", "payload": "User"}, )"
      R"({"event_type": "order.placed", "payload": "Order"}], "subscriptions": [{"id": 7, )"
      R"("name": "welcome", "event_type": "user.created", "event_types": ["user.created"], )"
      R"("middleware": ["retry", "timeout"], "once": false, "priority": -3, "ordering": "by_key", "max_concurrency": 0, )"
      R"("file": "/src/mail.cpp", "line": 12, "function": "main"}, {"id": 8, "name": "", )"
      R"("pattern": "*.placed", "event_types": ["order.placed"], "middleware": [], )"
      R"("once": true, "priority": 0, "ordering": "unordered", "max_concurrency": 4, "file": "", "line": 0, "function": ""}]})");
  CHECK(JsonCheck::is_json(json));
  CHECK(JsonCheck::is_json(to_json(Topology{})));
}

TEST_CASE("to_json: names with everything that has a meaning of its own", "[topology]") {
  Topology topology = small_topology();
  topology.subscriptions[0].name = "say \"hi\"\\ #1; `a`\n\t\x01\x7f \xc3\xa4\xff end";
  topology.subscriptions[0].where.file = "C:\\src\\a b.cpp";
  const std::string json = to_json(topology);
  CHECK(JsonCheck::is_json(json));
  CHECK(json.find(R"("say \"hi\"\\ #1; `a`\u000a\u0009\u0001)") != std::string::npos);
  CHECK(json.find("\xc3\xa4\xef\xbf\xbd end\"") != std::string::npos);
  CHECK(json.find(R"("C:\\src\\a b.cpp")") != std::string::npos);
}

TEST_CASE("to_json: the check of these tests refuses what is no JSON", "[topology]") {
  for (const char* text : {"", "{", "{\"a\"}", "[1,]", "[1 2]", "\"\n\"", "\"\\x\"", "\"\\u12\"",
                           "tru", "{\"a\": }", "[] []", "01"}) {
    INFO(text);
    CHECK_FALSE(JsonCheck::is_json(text));
  }
  CHECK(JsonCheck::is_json(R"( {"a" : [1, -20, true, null, "\u00e4\n"], "b":{}} )"));
}

}  // namespace
