// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Topologies as graphs, for Mermaid and for Graphviz. Layer: observe.

#include <gossip/core/text.hpp>
#include <gossip/core/utf8.hpp>
#include <gossip/dispatch/ordering.hpp>
#include <gossip/dispatch/overflow_policy.hpp>
#include <gossip/dispatch/topology.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace gossip {
namespace detail {

/// Appends a text in quotes for Mermaid: what it may take for its own is written as entities.
inline void append_mermaid(std::string_view text, std::string& out) {
  for_each_character(text, [&out](std::string_view character) {
    const char c = character.front();
    const auto code = static_cast<unsigned char>(c);
    if (code < 0x20 || code == 0x7f) {
      out += ' ';
    } else if (character.size() == 1 &&
               std::string_view{"\"#<>&;`\\"}.find(c) != std::string_view::npos) {
      out += join({"#", Decimal{code}, ";"});
    } else {
      out += character;
    }
  });
}

/// Appends a text in quotes for Graphviz.
inline void append_dot(std::string_view text, std::string& out) {
  for_each_character(text, [&out](std::string_view character) {
    const char c = character.front();
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') out += '\\';
    out += code < 0x20 || code == 0x7f ? " " : character;
  });
}

/// What is left of a path behind its last slash.
[[nodiscard]] inline std::string_view file_name(std::string_view path) noexcept {
  return path.substr(path.find_last_of("/\\") + 1);
}

/// The lines that describe a subscription, handed to `line` one after the other.
template <class Line>
void describe(const SubscriptionTopology& subscription, Line&& line) {
  line(subscription.name.empty() ? std::string_view{"(no name)"} : subscription.name);
  std::string layers;
  for (const std::string_view layer : subscription.middleware) {
    layers += layers.empty() ? "" : " | ";
    layers += layer;
  }
  if (!layers.empty()) line(layers);
  if (subscription.lifetime == SubscribeOptions::Lifetime::once) line("once");
  if (subscription.ordering != Ordering::Kind::unordered) line(to_string(subscription.ordering));
  if (subscription.max_concurrency != 0) {
    line(join({"at most ", Decimal{subscription.max_concurrency}, " at once"}));
  }
  if (subscription.priority != 0) {
    line(join({"priority ", signed_decimal(subscription.priority)}));
  }
  if (subscription.where.line != 0) {
    line(join({file_name(subscription.where.file), ":", Decimal{subscription.where.line}}));
  }
}

/// The lines that describe the bus itself.
template <class Line>
void describe(const Topology& topology, Line&& line) {
  line(topology.provider);
  line(join({Decimal{topology.workers}, topology.workers == 1 ? " worker" : " workers"}));
  line(join({Decimal{topology.capacity}, " events, ", to_string(topology.overflow)}));
}

/// How a node begins and ends.
struct NodeShape {
  const char* before;
  const char* after;
};

/// Writes the nodes and edges of a topology in the syntax of a `Syntax`.
template <class Syntax>
class GraphText {
 public:
  static std::string of(const Topology& topology) {
    GraphText graph;
    graph.text_ = Syntax::head;
    graph.node("bus", Syntax::bus, [&](auto&& line) { describe(topology, line); });
    for (std::size_t i = 0; i < topology.types.size(); ++i) graph.add(topology.types[i], i);
    for (std::size_t i = 0; i < topology.subscriptions.size(); ++i) {
      graph.add(topology, topology.subscriptions[i], i);
    }
    graph.text_ += Syntax::tail;
    return std::move(graph.text_);
  }

 private:
  static std::string id(const char* kind, std::size_t index) {
    return join({kind, Decimal{index}});
  }

  void add(const EventTypeTopology& type, std::size_t index) {
    node(id("t", index), Syntax::type, [&](auto&& line) {
      line(type.event_type);
      line(type.payload);
    });
    edge("bus", id("t", index));
  }

  void add(const Topology& topology, const SubscriptionTopology& subscription, std::size_t index) {
    const std::string to = id("s", index);
    node(to, Syntax::subscription, [&](auto&& line) { describe(subscription, line); });
    std::string from;
    if (subscription.pattern) {
      from = id("p", index);
      node(from, Syntax::pattern, [&](auto&& line) { line(subscription.subscribed_to); });
      edge(from, to);
    }
    for (std::size_t i = 0; i < topology.types.size(); ++i) {
      for (const std::string_view type : subscription.event_types) {
        if (type == topology.types[i].event_type) edge(id("t", i), from.empty() ? to : from);
      }
    }
  }

  template <class Describe>
  void node(const std::string& name, const NodeShape& shape, Describe&& describe_lines) {
    text_ += join({"  ", name, shape.before});
    bool first = true;
    describe_lines([&](std::string_view line) {
      if (!first) text_ += Syntax::line_break;
      first = false;
      Syntax::append(line, text_);
    });
    text_ += join({shape.after, "\n"});
  }

  void edge(const std::string& from, const std::string& to) {
    text_ += join({"  ", from, Syntax::arrow, to, Syntax::end, "\n"});
  }

  std::string text_;
};

struct MermaidSyntax {
  static constexpr const char* head = "flowchart LR\n";
  static constexpr const char* tail = "";
  static constexpr NodeShape bus{"([\"", "\"])"};
  static constexpr NodeShape type{"[\"", "\"]"};
  static constexpr NodeShape pattern{"{{\"", "\"}}"};
  static constexpr NodeShape subscription{"(\"", "\")"};
  static constexpr const char* line_break = "<br/>";
  static constexpr const char* arrow = " --> ";
  static constexpr const char* end = "";
  static void append(std::string_view text, std::string& out) { append_mermaid(text, out); }
};

struct DotSyntax {
  static constexpr const char* head = "digraph gossip {\n  rankdir=LR;\n";
  static constexpr const char* tail = "}\n";
  static constexpr NodeShape bus{" [shape=cylinder, label=\"", "\"];"};
  static constexpr NodeShape type{" [shape=box, label=\"", "\"];"};
  static constexpr NodeShape pattern{" [shape=hexagon, label=\"", "\"];"};
  static constexpr NodeShape subscription{" [shape=box, style=rounded, label=\"", "\"];"};
  static constexpr const char* line_break = "\\n";
  static constexpr const char* arrow = " -> ";
  static constexpr const char* end = ";";
  static void append(std::string_view text, std::string& out) { append_dot(text, out); }
};

}  // namespace detail

/// A topology as a Mermaid flowchart: the bus, its event types, the patterns, the subscriptions, and
/// how events go from one to the next. Names are escaped. @throws std::bad_alloc
[[nodiscard]] inline std::string to_mermaid(const Topology& topology) {
  return detail::GraphText<detail::MermaidSyntax>::of(topology);
}

/// The same for Graphviz. @throws std::bad_alloc
[[nodiscard]] inline std::string to_dot(const Topology& topology) {
  return detail::GraphText<detail::DotSyntax>::of(topology);
}

}  // namespace gossip
