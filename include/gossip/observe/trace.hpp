// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// trace: a span around each call of a processor, and around publishing; the hooks into which a
/// tracing system is plugged. Layer: observe.

#include <gossip/core/any_event.hpp>
#include <gossip/core/causality.hpp>
#include <gossip/core/context.hpp>
#include <gossip/core/event.hpp>
#include <gossip/core/event_type.hpp>
#include <gossip/core/metadata.hpp>
#include <gossip/core/payload.hpp>
#include <gossip/core/status.hpp>
#include <gossip/observe/trace_context.hpp>
#include <gossip/processing/handler.hpp>
#include <gossip/processing/middleware.hpp>

#include <concepts>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace gossip {

/// What a tracing system is told of a span that begins. Refers to what is being handled: copy what you
/// keep.
struct SpanStart {
  /// On which side of the bus, as OpenTelemetry names it.
  enum class Kind : std::uint8_t {
    producer,  ///< an event is being published
    consumer,  ///< a processor is being called
  };
  Kind kind;                      ///< see Kind
  std::string_view event_type;    ///< such as "auth.user.created"; lives for ever
  std::string_view subscription;  ///< a consumer's SubscribeOptions::name; empty for a producer
  unsigned attempt;               ///< 1 for the first call for this event, and for a producer
  const Metadata& metadata;       ///< the event's
  const TraceContext*
      parent;  ///< a consumer's: the event's; a producer's: this thread's; null: none
};

// clang-format off

/// A span that has begun. Semantic requirements, for a span `s`:
/// 1. `s.context()` is what spans further in have as their parent; an invalid one if nothing is traced:
///    then the parent's is passed on.
/// 2. `s.end(status)` is called once, on the thread that began the span, before it is destroyed.
template <class S>
concept Span = std::destructible<S> && requires(S& span, const Status& status) {
  { span.context() } -> std::convertible_to<TraceContext>;
  span.end(status);
};

/// The hooks of a tracing system. Semantic requirements, for a tracer `t`:
/// 1. `t.start(what)` returns a span that has begun, to be ended on the same thread.
/// 2. Calls from several threads at once are safe; no lock is held around them.
///
/// Example: examples/tracing/otel.hpp, the hooks of OpenTelemetry.
template <class T>
concept Tracer = std::copy_constructible<T> && requires(const T& tracer, const SpanStart& what) {
  { tracer.start(what) } -> Span;
};

// clang-format on

namespace detail {

/// A trace context that what is published meanwhile carries.
struct TraceCause : Cause {
  explicit TraceCause(TraceContext current) noexcept
      : Cause{&add_context}, context{std::move(current)} {}

  const TraceContext context;

  /// The context of this thread: of the innermost cause that is one; null if there is none.
  static const TraceContext* current() noexcept {
    for (const Cause* cause = current_cause; cause != nullptr; cause = cause->outer) {
      if (cause->add != &add_context) continue;
      const TraceContext& found = static_cast<const TraceCause*>(cause)->context;
      if (found.valid()) return &found;
    }
    return nullptr;
  }

 private:
  static void add_context(const Cause& self, Metadata& metadata) {
    const TraceContext& context = static_cast<const TraceCause&>(self).context;
    if (context.valid() && !metadata.contains(traceparent_key)) {
      set_trace_context(metadata, context);
    }
  }
};

/// What is passed on inside a span: its context, or, if it has none, its parent's.
template <Span S>
TraceContext context_inside(S& span, const TraceContext* parent) {
  TraceContext context = span.context();
  if (!context.valid() && parent != nullptr) return *parent;
  return context;
}

/// A processor made by trace().
template <class Next, class Hooks>
class Traced {
 public:
  static constexpr const char* middleware_name = "trace";
  using wrapped_type = Next;

  Traced(Hooks tracer, Next next) : tracer_(std::move(tracer)), next_(std::move(next)) {}

  template <class E>
    requires(Handler<Next, E>)
  Status operator()(const E& event, Context& context) {
    const std::optional<TraceContext> parent = trace_context_of(event.metadata());
    const TraceContext* const outside = parent ? &*parent : nullptr;
    auto span = std::as_const(tracer_).start(
        SpanStart{SpanStart::Kind::consumer, event.type(), context.subscription_name(),
                  context.attempt(), event.metadata(), outside});
    TraceCause cause{context_inside(span, outside)};
    const CauseScope scope{cause};
    return handle_observed(next_, event, context, [&](const Status& status) { span.end(status); });
  }

 private:
  [[no_unique_address]] Hooks tracer_;
  Next next_;
};

template <class Hooks>
class TraceMiddleware : public MiddlewareBase {
 public:
  explicit TraceMiddleware(Hooks tracer) : tracer_(std::move(tracer)) {}

  template <MaybeCallable P>
  [[nodiscard]] auto operator()(P next) const {
    return Traced<P, Hooks>{tracer_, std::move(next)};
  }

 private:
  [[no_unique_address]] Hooks tracer_;
};

}  // namespace detail

/// A middleware that begins a span before each call of its processor and ends it with what came of
/// the call, an exception's status too. The span's parent is the context that the event carries. What
/// is published on the same thread meanwhile, on whatever bus, carries the span's context in its
/// metadata (`traceparent`, `tracestate`), unless it has one of its own; so do schedules. Not changed:
/// an event that publish_sync is given ready-made. Each attempt of an event that is retried further in
/// is inside the same span; further out, each has its own.
///
/// Example: examples/tracing/main.cpp.
///
/// @param tracer       see Tracer; copied into each processor. What its start() throws is the call's
///                     outcome; what end() throws takes its place
/// @throws             what moving the tracer throws
/// @par Blocking       never by itself
/// @par Thread safety  the processor it makes may be called by any number of threads
/// @par Complexity     O(1) beside what the hooks cost; an event published inside gets metadata, which
///                     allocates
template <Tracer Hooks>
[[nodiscard]] detail::TraceMiddleware<Hooks> trace(Hooks tracer) {
  return detail::TraceMiddleware<Hooks>{std::move(tracer)};
}

/// While it lives, what this thread publishes carries a trace context, unless it has one of its own:
/// for what does not begin in a processor, such as a request that came with a `traceparent`.
///
/// Thread safety: stays on its thread; scopes of one thread end in the reverse order.
class TraceScope {
 public:
  /// @param context  an invalid one adds nothing
  explicit TraceScope(TraceContext context) noexcept : cause_{std::move(context)}, scope_{cause_} {}
  TraceScope(const TraceScope&) = delete;
  TraceScope& operator=(const TraceScope&) = delete;
  ~TraceScope() = default;

  /// The trace context of what this thread would publish now: of the innermost scope, or the call
  /// inside a trace() that it is in; nothing if there is none. @throws std::bad_alloc
  [[nodiscard]] static std::optional<TraceContext> current() {
    const TraceContext* const found = detail::TraceCause::current();
    return found == nullptr ? std::nullopt : std::optional{*found};
  }

 private:
  detail::TraceCause cause_;
  detail::CauseScope scope_;
};

/// Publishes an event inside a span of its own, the context of which the event carries in the place of
/// the one that it has. The span's parent is this thread's (TraceScope::current()), or, where there is
/// none, the one that the event has.
/// @param bus     an EventBus
/// @param event   as EventBus::publish; but for its trace context it is as it was where that fails
/// @param tracer  see Tracer
/// @return        what publishing answered, which the span ends with, too
/// @throws        what publishing and the hooks throw; a span that has begun then ends without end()
template <class Bus, Payload T, Tracer Hooks>
Status publish_traced(Bus& bus, Event<T>&& event, const Hooks& tracer) {
  std::optional<TraceContext> parent = TraceScope::current();
  if (!parent) parent = trace_context_of(event.metadata());
  const TraceContext* const outside = parent ? &*parent : nullptr;
  auto span = tracer.start(
      SpanStart{SpanStart::Kind::producer, event.type(), {}, 1, event.metadata(), outside});
  const TraceContext context = detail::context_inside(span, outside);
  if (context.valid()) {
    event.with_metadata(traceparent_key, to_traceparent(context));
    if (!context.state.empty() || event.metadata().contains(tracestate_key)) {
      event.with_metadata(tracestate_key, context.state);
    }
  }
  Status status = bus.publish(std::move(event));
  span.end(std::as_const(status));
  return status;
}
/// The same for an event without metadata of its own.
template <class Bus, Payload T, Tracer Hooks>
Status publish_traced(Bus& bus, const EventType<T>& type,
                      std::type_identity_t<StoredPayload<T>> data, const Hooks& tracer) {
  return publish_traced(bus, Event<T>{type, std::move(data)}, tracer);
}

namespace detail::trace_archetypes {

struct SomeSpan {
  TraceContext context();
  void end(const Status& status);
};
struct NoEnd {
  TraceContext context();
};
template <class S>
struct Starts {
  S start(const SpanStart& what) const;
};
struct StartsMutably {
  SomeSpan start(const SpanStart& what);
};

static_assert(Span<SomeSpan> && Tracer<Starts<SomeSpan>>);
static_assert(!Span<NoEnd> && !Span<int> && !Tracer<Starts<NoEnd>> && !Tracer<Starts<void>>);
static_assert(!Tracer<StartsMutably> && !Tracer<int>);

}  // namespace detail::trace_archetypes
}  // namespace gossip
