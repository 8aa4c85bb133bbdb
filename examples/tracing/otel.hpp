// SPDX-License-Identifier: MIT
#pragma once

// gossip's hooks for OpenTelemetry's C++ API: copy this file into a program that links it.

#include <gossip/observe.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <opentelemetry/trace/tracer.h>
#include <string>
#include <string_view>
#include <utility>

namespace otel = opentelemetry::trace;

inline opentelemetry::nostd::string_view to_otel(std::string_view text) {
  return {text.data(), text.size()};
}

inline otel::SpanContext to_otel(const gossip::TraceContext& context) {
  using Trace = opentelemetry::nostd::span<const std::uint8_t, 16>;
  using Parent = opentelemetry::nostd::span<const std::uint8_t, 8>;
  return {otel::TraceId{Trace{context.trace_id}}, otel::SpanId{Parent{context.span_id}},
          otel::TraceFlags{context.flags}, true,
          otel::TraceState::FromHeader(to_otel(context.state))};
}

inline gossip::TraceContext from_otel(const otel::SpanContext& span) {
  gossip::TraceContext context;
  const auto trace_id = span.trace_id().Id();
  const auto span_id = span.span_id().Id();
  std::copy(trace_id.begin(), trace_id.end(), context.trace_id.begin());
  std::copy(span_id.begin(), span_id.end(), context.span_id.begin());
  context.flags = span.trace_flags().flags();
  context.state = span.trace_state()->ToHeader();
  return context;
}

/// A span that is the active one of its thread while this lives.
class OtelSpan {
 public:
  explicit OtelSpan(opentelemetry::nostd::shared_ptr<otel::Span> span)
      : span_{std::move(span)}, scope_{new otel::Scope{span_}} {}

  [[nodiscard]] gossip::TraceContext context() const { return from_otel(span_->GetContext()); }
  void end(const gossip::Status& status) {
    if (!status.ok()) span_->SetStatus(otel::StatusCode::kError, to_otel(status.what()));
    span_->End();
  }

 private:
  opentelemetry::nostd::shared_ptr<otel::Span> span_;
  std::unique_ptr<otel::Scope> scope_;
};

/// The hooks. The names of spans and attributes are those of the conventions for messaging.
class OtelTracer {
 public:
  explicit OtelTracer(opentelemetry::nostd::shared_ptr<otel::Tracer> tracer)
      : tracer_{std::move(tracer)} {}

  [[nodiscard]] OtelSpan start(const gossip::SpanStart& what) const {
    const bool consumer = what.kind == gossip::SpanStart::Kind::consumer;
    otel::StartSpanOptions options;
    options.kind = consumer ? otel::SpanKind::kConsumer : otel::SpanKind::kProducer;
    if (what.parent != nullptr) options.parent = to_otel(*what.parent);
    const char* const operation = consumer ? "process" : "send";
    const std::string name = std::string{operation}.append(" ").append(what.event_type);
    auto span = tracer_->StartSpan(to_otel(name),
                                   {{"messaging.system", "gossip"},
                                    {"messaging.operation.name", operation},
                                    {"messaging.operation.type", operation},
                                    {"messaging.destination.name", to_otel(what.event_type)}},
                                   options);
    if (consumer) {
      span->SetAttribute("messaging.destination.subscription.name", to_otel(what.subscription));
      span->SetAttribute("gossip.attempt", static_cast<std::uint32_t>(what.attempt));
    }
    return OtelSpan{std::move(span)};
  }

 private:
  opentelemetry::nostd::shared_ptr<otel::Tracer> tracer_;
};

static_assert(gossip::Tracer<OtelTracer>);
