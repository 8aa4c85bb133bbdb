// SPDX-License-Identifier: MIT
#include <gossip/observe/topology_graph.hpp>

#include "support/small_topology.hpp"

#include <catch2/catch_test_macros.hpp>

#include <string>

namespace {

using gossip::to_dot;
using gossip::to_mermaid;
using gossip::Topology;
using gossip::test::small_topology;

TEST_CASE("to_mermaid: types, patterns and subscriptions as a flowchart", "[topology]") {
  CHECK(to_mermaid(small_topology()) ==
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
  CHECK(to_dot(small_topology()) ==
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
  Topology topology = small_topology();
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
