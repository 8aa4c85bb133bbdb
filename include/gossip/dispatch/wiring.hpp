// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// wiring_of: the Topology of a bus, put together from its parts. Layer: dispatch.

#include <gossip/core/processor_layers.hpp>
#include <gossip/core/subscription_id.hpp>
#include <gossip/dispatch/options.hpp>
#include <gossip/dispatch/registry.hpp>
#include <gossip/dispatch/subscription_record.hpp>
#include <gossip/dispatch/topology.hpp>
#include <gossip/dispatch/type_table.hpp>

#include <cstdint>
#include <utility>

namespace gossip::detail {

// What these make depends on a parameter, so that only their users compile its vectors' members.

/// What is known of a subscription, but for the event types of a pattern. @throws std::bad_alloc
template <class Part = SubscriptionTopology>
Part wiring_of(const SubscriptionRecord& record, SubscriptionId id) {
  Part subscription;
  subscription.id = id;
  subscription.name = record.name;
  subscription.subscribed_to = Registry::subscribed_to(record);
  subscription.pattern = static_cast<bool>(record.pattern);
  for (const ProcessorLayer* layer = record.processor.layers; layer != nullptr;
       layer = layer->inner) {
    subscription.middleware.emplace_back(layer->name);
  }
  subscription.lifetime = record.lifetime;
  subscription.priority = record.priority;
  subscription.ordering = record.ordering;
  subscription.max_concurrency = record.max_concurrency;
  subscription.where = record.where;
  return subscription;
}

/// The types and subscriptions of a bus. A type that the bus meets meanwhile may be missing.
/// @throws std::bad_alloc
template <class Whole = Topology>
Whole wiring_of(const TypeTable& types, const Registry& registry) {
  Whole topology;
  // One after the other: the lock of the types is never taken under that of the registry.
  types.for_each([&](const TypeEntry& type) {
    topology.types.push_back({type.name.text(), type.payload->name});
  });
  registry.for_each([&](const SubscriptionRecord& record, SubscriptionId id, std::uint64_t) {
    using Part = typename decltype(topology.subscriptions)::value_type;
    Part subscription = wiring_of<Part>(record, id);
    for (const auto& type : topology.types) {
      const bool gets = record.pattern ? record.pattern->matches(type.event_type)
                                       : type.event_type == record.type->name.text();
      if (gets) subscription.event_types.push_back(type.event_type);
    }
    topology.subscriptions.push_back(std::move(subscription));
  });
  return topology;
}

}  // namespace gossip::detail
