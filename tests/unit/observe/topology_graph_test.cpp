// SPDX-License-Identifier: MIT
#include <gossip/observe/topology_graph.hpp>

#include <catch2/catch_test_macros.hpp>

#include <string>

namespace {

using gossip::SubscribeOptions;
using gossip::to_dot;
using gossip::to_mermaid;
using gossip::Topology;

Topology small() {
  Topology topology;
  topology.provider = "gossip::InMemoryProvider";
  topology.workers = 1;
  topology.capacity = 64;
  topology.types = {{"user.created", "User"}, {"order.placed", "Order"}};
  topology.subscriptions.push_back({.id = {7, 0},
                                    .name = "welcome",
                                    .subscribed_to = "user.created",
                                    .event_types = {"user.created"},
                                    .middleware = {"retry", "timeout"},
                                    .priority = -3,
                                    .ordering = gossip::Ordering::Kind::by_key,
                                    .where = {"/src/mail.cpp", 12, "main"}});
  topology.subscriptions.push_back({.id = {8, 1},
                                    .name = {},
                                    .subscribed_to = "*.placed",
                                    .pattern = true,
                                    .event_types = {"order.placed"},
                                    .middleware = {},
                                    .lifetime = SubscribeOptions::Lifetime::once,
                                    .max_concurrency = 4,
                                    .where = {}});
  return topology;
}

TEST_CASE("to_mermaid: types, patterns and subscriptions as a flowchart", "[topology]") {
  CHECK(to_mermaid(small()) ==
        R"(flowchart LR
  bus(["gossip::InMemoryProvider<br/>1 worker<br/>64 events, block"])
  t0["user.created<br/>User"]
  bus --> t0
  t1["order.placed<br/>Order"]
  bus --> t1
  s0("welcome<br/>retry | timeout<br/>by_key<br/>priority -3<br/>mail.cpp:12")
  t0 --> s0
  s1("(no name)<br/>once<br/>at most 4 at once")
  p1{{"*.placed"}}
  p1 --> s1
  t1 --> p1
)");
  CHECK(to_mermaid(Topology{}) ==
        "flowchart LR\n  bus([\"<br/>0 workers<br/>0 events, block\"])\n");
}

TEST_CASE("to_dot: the same for Graphviz", "[topology]") {
  CHECK(to_dot(small()) ==
        R"(digraph gossip {
  rankdir=LR;
  bus [shape=cylinder, label="gossip::InMemoryProvider\n1 worker\n64 events, block"];
  t0 [shape=box, label="user.created\nUser"];
  bus -> t0;
  t1 [shape=box, label="order.placed\nOrder"];
  bus -> t1;
  s0 [shape=box, style=rounded, label="welcome\nretry | timeout\nby_key\npriority -3\nmail.cpp:12"];
  t0 -> s0;
  s1 [shape=box, style=rounded, label="(no name)\nonce\nat most 4 at once"];
  p1 [shape=hexagon, label="*.placed"];
  p1 -> s1;
  t1 -> p1;
}
)");
}

TEST_CASE("topologies: names with everything that has a meaning of its own", "[topology]") {
  Topology topology = small();
  topology.subscriptions.resize(1);
  topology.types[0].payload = "std::map<int, \"x\">&";
  topology.subscriptions[0].name = "say \"hi\"\\ #1; `a`\n\t\x01\x7f \xc3\xa4\xff end";
  topology.subscriptions[0].where.file = "C:\\src\\a b.cpp";
  const std::string mermaid = to_mermaid(topology);
  CHECK(mermaid.find("std::map#60;int, #34;x#34;#62;#38;") != std::string::npos);
  CHECK(
      mermaid.find("(\"say #34;hi#34;#92; #35;1#59; #96;a#96;     \xc3\xa4\xef\xbf\xbd end<br/>") !=
      std::string::npos);
  CHECK(mermaid.find("<br/>a b.cpp:12\")") != std::string::npos);
  const std::string dot = to_dot(topology);
  CHECK(dot.find("label=\"say \\\"hi\\\"\\\\ #1; `a`     \xc3\xa4\xef\xbf\xbd end\\n") !=
        std::string::npos);
}

}  // namespace
