// SPDX-License-Identifier: MIT
#pragma once

#if __cplusplus < 202002L && !(defined(_MSVC_LANG) && _MSVC_LANG >= 202002L)
#error "gossip needs C++20: -std=c++20, /std:c++20, or target_compile_features(... cxx_std_20)"
#endif

/// @file
/// All of gossip but its JSON and Redis parts and what observe.hpp shows.

/// @mainpage gossip
/// Every public name with its contract. The README shows how they are used, and this is where to begin:
/// - gossip::EventBus with gossip::BusOptions; gossip::Publisher, gossip::Schedule, gossip::SyncResult
/// - gossip::EventType, gossip::Event, gossip::AnyEvent, gossip::Metadata, gossip::EventPattern
/// - gossip::Processor (what can be subscribed), gossip::Context, gossip::Subscription,
///   gossip::SubscribeOptions
/// - gossip::Status, gossip::Error and the kinds of errors; gossip::Errc
/// - around processors: gossip::where(), gossip::retry(), gossip::timeout(), gossip::circuit_breaker(),
///   gossip::rate_limit(), gossip::deduplicate(), gossip::dead_letter(), gossip::chain(); gossip::Batch
/// - seeing: gossip::Statistics, gossip::Topology, gossip::to_prometheus(), gossip::trace()
/// - elsewhere: gossip::Provider, gossip::redis::RedisOptions; testing: gossip::testing::TestBus

#include <gossip/bus/event_bus.hpp>
#include <gossip/bus/global_bus.hpp>
#include <gossip/bus/inspection.hpp>
#include <gossip/bus/publisher.hpp>
#include <gossip/bus/schedule.hpp>
#include <gossip/bus/sync_result.hpp>
#include <gossip/bus/timed_publishing.hpp>
#include <gossip/config.hpp>
#include <gossip/core/any_event.hpp>
#include <gossip/core/any_processor.hpp>
#include <gossip/core/causality.hpp>
#include <gossip/core/clock.hpp>
#include <gossip/core/context.hpp>
#include <gossip/core/errc.hpp>
#include <gossip/core/error.hpp>
#include <gossip/core/event.hpp>
#include <gossip/core/event_id.hpp>
#include <gossip/core/event_pattern.hpp>
#include <gossip/core/event_type.hpp>
#include <gossip/core/manual_clock.hpp>
#include <gossip/core/metadata.hpp>
#include <gossip/core/payload.hpp>
#include <gossip/core/priority.hpp>
#include <gossip/core/processor.hpp>
#include <gossip/core/provider.hpp>
#include <gossip/core/source_location.hpp>
#include <gossip/core/status.hpp>
#include <gossip/core/subscription.hpp>
#include <gossip/core/subscription_id.hpp>
#include <gossip/dispatch/lane_statistics.hpp>
#include <gossip/dispatch/options.hpp>
#include <gossip/dispatch/ordering.hpp>
#include <gossip/dispatch/overflow_policy.hpp>
#include <gossip/dispatch/statistics.hpp>
#include <gossip/dispatch/topology.hpp>
#include <gossip/fwd.hpp>
#include <gossip/processing/batch.hpp>
#include <gossip/processing/batch_options.hpp>
#include <gossip/processing/circuit_breaker.hpp>
#include <gossip/processing/correlate.hpp>
#include <gossip/processing/dead_letter.hpp>
#include <gossip/processing/deduplicate.hpp>
#include <gossip/processing/filter.hpp>
#include <gossip/processing/logging.hpp>
#include <gossip/processing/metadata_filter.hpp>
#include <gossip/processing/metrics.hpp>
#include <gossip/processing/middleware.hpp>
#include <gossip/processing/rate_limit.hpp>
#include <gossip/processing/recorder.hpp>
#include <gossip/processing/recovery.hpp>
#include <gossip/processing/retry.hpp>
#include <gossip/processing/stalled_call.hpp>
#include <gossip/processing/timeout.hpp>
#include <gossip/processing/type_filter.hpp>
#include <gossip/provider/in_memory_provider.hpp>
#include <gossip/queue/mpmc_queue.hpp>
#include <gossip/queue/priority_queue.hpp>
#include <gossip/version.hpp>
