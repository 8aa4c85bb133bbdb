// SPDX-License-Identifier: MIT
#pragma once

// Stands in for the header of the same name of OpenTelemetry's C++ API, so that this example needs
// nothing that has to be installed: as much of it as otel.hpp uses, under the same names. Ids are
// numbers instead of random, and Tracer::print shows what another one would export.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace opentelemetry {
namespace nostd {
using std::shared_ptr;
using std::span;
using std::string_view;
}  // namespace nostd

namespace common {
using AttributeValue = std::variant<std::uint32_t, const char*, nostd::string_view>;
}

namespace trace {

/// The bytes of an id.
template <std::size_t N>
class Bytes {
 public:
  Bytes() noexcept = default;
  explicit Bytes(nostd::span<const std::uint8_t, N> bytes) noexcept {
    std::copy(bytes.begin(), bytes.end(), bytes_);
  }
  [[nodiscard]] nostd::span<const std::uint8_t, N> Id() const noexcept {
    return nostd::span<const std::uint8_t, N>{bytes_};
  }
  [[nodiscard]] bool IsValid() const noexcept {
    return std::any_of(bytes_, bytes_ + N, [](std::uint8_t byte) { return byte != 0; });
  }

 private:
  std::uint8_t bytes_[N]{};
};
using TraceId = Bytes<16>;
using SpanId = Bytes<8>;

class TraceFlags {
 public:
  TraceFlags() noexcept = default;
  explicit TraceFlags(std::uint8_t flags) noexcept : flags_{flags} {}
  [[nodiscard]] std::uint8_t flags() const noexcept { return flags_; }

 private:
  std::uint8_t flags_ = 0;
};

class TraceState {
 public:
  static nostd::shared_ptr<TraceState> FromHeader(nostd::string_view header) {
    auto state = std::make_shared<TraceState>();
    state->header_ = header;
    return state;
  }
  static nostd::shared_ptr<TraceState> GetDefault() { return FromHeader({}); }
  [[nodiscard]] std::string ToHeader() const { return header_; }

 private:
  std::string header_;
};

class SpanContext {
 public:
  SpanContext(TraceId trace_id, SpanId span_id, TraceFlags flags, bool is_remote,
              nostd::shared_ptr<TraceState> state = TraceState::GetDefault())
      : trace_id_{trace_id},
        span_id_{span_id},
        flags_{flags},
        is_remote_{is_remote},
        state_{std::move(state)} {}
  static SpanContext GetInvalid() { return {{}, {}, {}, false}; }

  [[nodiscard]] const TraceId& trace_id() const noexcept { return trace_id_; }
  [[nodiscard]] const SpanId& span_id() const noexcept { return span_id_; }
  [[nodiscard]] const TraceFlags& trace_flags() const noexcept { return flags_; }
  [[nodiscard]] nostd::shared_ptr<TraceState> trace_state() const noexcept { return state_; }
  [[nodiscard]] bool IsValid() const noexcept { return trace_id_.IsValid() && span_id_.IsValid(); }
  [[nodiscard]] bool IsRemote() const noexcept { return is_remote_; }

 private:
  TraceId trace_id_;
  SpanId span_id_;
  TraceFlags flags_;
  bool is_remote_;
  nostd::shared_ptr<TraceState> state_;
};

enum class SpanKind { kInternal, kServer, kClient, kProducer, kConsumer };
enum class StatusCode { kUnset, kOk, kError };

struct StartSpanOptions {
  std::variant<SpanContext> parent = SpanContext::GetInvalid();
  SpanKind kind = SpanKind::kInternal;
};

class Span {
 public:
  Span(SpanContext context, nostd::string_view name) : context_{std::move(context)}, name_{name} {}

  [[nodiscard]] SpanContext GetContext() const noexcept { return context_; }
  void SetAttribute(nostd::string_view key, const common::AttributeValue& value) {
    if (!attributes_.empty()) attributes_ += ' ';
    attributes_ += key.substr(key.rfind('.', key.rfind('.') - 1) + 1);
    attributes_ += '=';
    if (const auto* number = std::get_if<std::uint32_t>(&value))
      attributes_ += std::to_string(*number);
    if (const auto* text = std::get_if<const char*>(&value)) attributes_ += *text;
    if (const auto* view = std::get_if<nostd::string_view>(&value)) attributes_ += *view;
  }
  void SetStatus(StatusCode code, nostd::string_view description = "") {
    if (code == StatusCode::kError) error_ = std::string{": "}.append(description);
  }
  void End() { ended_ = true; }

 private:
  friend class Tracer;

  SpanContext context_;
  std::string name_;
  std::string attributes_;
  std::string error_;
  bool ended_ = false;
};

/// Makes a span the active one of its thread; this stand-in has no use for that.
class Scope {
 public:
  explicit Scope(const nostd::shared_ptr<Span>& span) noexcept { static_cast<void>(span); }
};

class Tracer {
 public:
  nostd::shared_ptr<Span> StartSpan(
      nostd::string_view name,
      std::initializer_list<std::pair<nostd::string_view, common::AttributeValue>> attributes,
      const StartSpanOptions& options = {}) {
    const SpanContext& parent = std::get<SpanContext>(options.parent);
    const std::lock_guard lock{mutex_};
    const auto number = static_cast<std::uint8_t>(spans_.size() + 1);
    const std::uint8_t span_id[8] = {0, 0, 0, 0, 0, 0, 0, number};
    const std::uint8_t trace_id[16] = {0xab, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, number};
    const SpanContext context{parent.IsValid() ? parent.trace_id() : TraceId{trace_id},
                              SpanId{span_id}, TraceFlags{1}, false, parent.trace_state()};
    spans_.push_back(std::make_shared<Span>(context, name));
    for (const auto& [key, value] : attributes) spans_.back()->SetAttribute(key, value);
    parents_.push_back(parent.span_id());
    return spans_.back();
  }

  /// Prints the spans that have begun since the last time, when all have ended.
  void print() {
    const std::lock_guard lock{mutex_};
    for (; printed_ < spans_.size(); ++printed_) {
      const Span& span = *spans_[printed_];
      std::printf("  %s-%s in %s%s\n    %s (%s)%s\n", digits(span.context_.trace_id()).c_str(),
                  digits(span.context_.span_id()).c_str(), digits(parents_[printed_]).c_str(),
                  span.ended_ ? "" : " (has not ended)", span.name_.c_str(),
                  span.attributes_.c_str(), span.error_.c_str());
    }
  }

 private:
  template <std::size_t N>
  static std::string digits(const Bytes<N>& id) {
    std::string text;
    for (const std::uint8_t byte : id.Id()) {
      text += "0123456789abcdef"[byte >> 4U];
      text += "0123456789abcdef"[byte & 0xfU];
    }
    return text;
  }

  std::mutex mutex_;
  std::vector<nostd::shared_ptr<Span>> spans_;
  std::vector<SpanId> parents_;
  std::size_t printed_ = 0;
};

}  // namespace trace
}  // namespace opentelemetry
