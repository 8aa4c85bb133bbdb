// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// correlate: events remember from which events they came. Layer: processing.

#include <gossip/core/any_event.hpp>
#include <gossip/core/causality.hpp>
#include <gossip/core/context.hpp>
#include <gossip/core/event.hpp>
#include <gossip/core/status.hpp>
#include <gossip/processing/handler.hpp>
#include <gossip/processing/middleware.hpp>

#include <utility>

namespace gossip {

namespace detail {

/// A processor made by correlate().
template <class Next>
class Correlated {
 public:
  static constexpr const char* middleware_name = "correlate";
  using wrapped_type = Next;

  explicit Correlated(Next next) : next_(std::move(next)) {}

  template <class E>
  requires Handler<Next, E> Status operator()(const E& event, Context& context) {
    CausingEvent cause{AnyEventAccess::base(event)};
    const CauseScope scope{cause};
    return handle(next_, event, context);
  }

 private:
  [[no_unique_address]] Next next_;
};

/// The middleware made by correlate().
struct Correlate : MiddlewareBase {
  template <MaybeCallable Next>
  [[nodiscard]] auto operator()(Next next) const {
    return Correlated<Next>{std::move(next)};
  }
};

}  // namespace detail

/// A middleware for processors that publish: what is published on the same thread while the processor
/// runs, on whatever bus, carries in its metadata the causation id (the id of the event being
/// processed) and the correlation id (that event's own, or, if it has none, its id). So all events of
/// one story share a correlation id, and their causation ids tell its course. What an event already
/// has under these keys stays. Not changed: an event that publish_sync is given ready-made.
///
/// To begin a story under a name of your own, publish its first event
/// `.with_metadata(correlation_id_key, "req-123")`.
///
/// Example: examples/processing/failures.cpp.
///
/// @throws            nothing
/// @par Thread safety the processor it makes may be called by any number of threads
/// @par Complexity    around a call nothing worth mentioning; each event published inside it gets
///                    metadata, which allocates
[[nodiscard]] inline detail::Correlate correlate() noexcept { return {}; }

}  // namespace gossip
