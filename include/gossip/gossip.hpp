// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// All of gossip but its JSON and Redis parts.

#include <gossip/bus/event_bus.hpp>
#include <gossip/bus/global_bus.hpp>
#include <gossip/bus/publisher.hpp>
#include <gossip/bus/sync_result.hpp>
#include <gossip/config.hpp>
#include <gossip/core/any_event.hpp>
#include <gossip/core/any_processor.hpp>
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
#include <gossip/core/status.hpp>
#include <gossip/core/subscription.hpp>
#include <gossip/core/subscription_id.hpp>
#include <gossip/dispatch/options.hpp>
#include <gossip/dispatch/overflow_policy.hpp>
#include <gossip/dispatch/statistics.hpp>
#include <gossip/fwd.hpp>
#include <gossip/processing/batch.hpp>
#include <gossip/processing/batch_options.hpp>
#include <gossip/processing/dead_letter.hpp>
#include <gossip/processing/filter.hpp>
#include <gossip/processing/metadata_filter.hpp>
#include <gossip/processing/middleware.hpp>
#include <gossip/processing/retry.hpp>
#include <gossip/processing/stalled_call.hpp>
#include <gossip/processing/timeout.hpp>
#include <gossip/provider/in_memory_provider.hpp>
#include <gossip/queue/mpmc_queue.hpp>
#include <gossip/queue/priority_queue.hpp>
#include <gossip/version.hpp>
