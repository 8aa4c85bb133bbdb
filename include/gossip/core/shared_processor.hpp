// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// SharedProcessor: one processor for several subscriptions. Layer: core.

#include <gossip/core/context.hpp>
#include <gossip/core/event.hpp>
#include <gossip/core/processor.hpp>
#include <gossip/core/processor_layers.hpp>
#include <gossip/core/status.hpp>

#include <memory>
#include <utility>

namespace gossip::detail {

/// Calls an `F`, a processor of payload `T`, that it shares with its copies.
template <class T, Processor<T> F>
struct SharedProcessor {
  using wrapped_type = F;  ///< see ProcessorLayer

  std::shared_ptr<F> processor;

  Status operator()(const Event<T>& event, Context& context) const {
    return invoke_processor<T>(*processor, event, context);
  }
  /// See ChoosesEvents.
  [[nodiscard]] bool wants(const Event<T>& event) const requires ChoosesEvents<F, Event<T>> {
    return std::as_const(*processor).wants(event);
  }
};

}  // namespace gossip::detail
