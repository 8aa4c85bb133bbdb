// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Topologies as JSON. Layer: observe.

#include <gossip/core/text.hpp>
#include <gossip/core/utf8.hpp>
#include <gossip/dispatch/ordering.hpp>
#include <gossip/dispatch/overflow_policy.hpp>
#include <gossip/dispatch/topology.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gossip {
namespace detail {

/// Appends a text as JSON, quotes included.
inline void append_json(std::string_view text, std::string& out) {
  out += '"';
  for_each_character(text, [&out](std::string_view character) {
    const char c = character.front();
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') out += '\\';
    if (code < 0x20) {
      out += "\\u00";
      out += "0123456789abcdef"[code >> 4U];
      out += "0123456789abcdef"[code & 0xfU];
    } else {
      out += character;
    }
  });
  out += '"';
}

/// Writes JSON, on one line.
class JsonText {
 public:
  /// Begins an object or an array; ends it.
  /// @{
  void open(char bracket) {
    separate();
    text_ += bracket;
    fresh_ = true;
  }
  void close(char bracket) {
    text_ += bracket;
    fresh_ = false;
  }
  /// @}
  /// Begins a field, the value of which comes next.
  void name(std::string_view name) {
    separate();
    append_json(name, text_);
    text_ += ": ";
    fresh_ = true;
  }
  void value(std::string_view value) {
    separate();
    append_json(value, text_);
  }
  /// A number, true or false.
  void literal(std::string_view value) {
    separate();
    text_ += value;
  }
  [[nodiscard]] std::string take() noexcept { return std::move(text_); }

 private:
  void separate() {
    if (!fresh_) text_ += ", ";
    fresh_ = false;
  }

  std::string text_;
  bool fresh_ = true;  ///< nothing comes before that a comma would part
};

inline void append(const std::vector<std::string_view>& texts, JsonText& json) {
  json.open('[');
  for (const std::string_view text : texts) json.value(text);
  json.close(']');
}

inline void append(const SubscriptionTopology& subscription, JsonText& json) {
  json.open('{');
  json.name("id");
  json.literal(Decimal{subscription.id.serial});
  json.name("name");
  json.value(subscription.name);
  json.name(subscription.pattern ? "pattern" : "event_type");
  json.value(subscription.subscribed_to);
  json.name("event_types");
  append(subscription.event_types, json);
  json.name("middleware");
  append(subscription.middleware, json);
  json.name("once");
  json.literal(subscription.lifetime == SubscribeOptions::Lifetime::once ? "true" : "false");
  json.name("priority");
  json.literal(signed_decimal(subscription.priority));
  json.name("ordering");
  json.value(to_string(subscription.ordering));
  json.name("max_concurrency");
  json.literal(Decimal{subscription.max_concurrency});
  json.name("file");
  json.value(subscription.where.file);
  json.name("line");
  json.literal(Decimal{subscription.where.line});
  json.name("function");
  json.value(subscription.where.function);
  json.close('}');
}

}  // namespace detail

/// A topology as JSON, on one line: an object with the fields of Topology, of which `types` and `subscriptions` are
/// arrays of objects. Names that are not UTF-8 have U+FFFD where they are not. @throws std::bad_alloc
[[nodiscard]] inline std::string to_json(const Topology& topology) {
  using detail::Decimal;
  detail::JsonText json;
  json.open('{');
  json.name("provider");
  json.value(topology.provider);
  json.name("workers");
  json.literal(Decimal{topology.workers});
  json.name("capacity");
  json.literal(Decimal{topology.capacity});
  json.name("overflow");
  json.value(to_string(topology.overflow));
  json.name("types");
  json.open('[');
  for (const EventTypeTopology& type : topology.types) {
    json.open('{');
    json.name("event_type");
    json.value(type.event_type);
    json.name("payload");
    json.value(type.payload);
    json.close('}');
  }
  json.close(']');
  json.name("subscriptions");
  json.open('[');
  for (const SubscriptionTopology& subscription : topology.subscriptions) {
    detail::append(subscription, json);
  }
  json.close(']');
  json.close('}');
  return json.take();
}

}  // namespace gossip
