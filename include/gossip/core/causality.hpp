// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Causality: which event led to which, and how that is written into metadata. Layer: core.

#include <gossip/core/event.hpp>
#include <gossip/core/event_header.hpp>
#include <gossip/core/event_id.hpp>
#include <gossip/core/held_metadata.hpp>
#include <gossip/core/metadata.hpp>
#include <gossip/core/owner.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace gossip {

/// The metadata key of what all events that go back to the same first one have in common: the id of
/// that one as text, or what it was given itself.
inline constexpr std::string_view correlation_id_key = "correlation_id";
/// The metadata key of the id, as text, of the event during whose processing an event was published.
inline constexpr std::string_view causation_id_key = "causation_id";

namespace detail {

/// Something that is told to everything that is published on a thread while it is current. Its kinds
/// derive from it.
struct Cause {
  /// Adds to metadata what is to be told, but to keys that are there already.
  /// @throws std::bad_alloc, std::system_error (no source of randomness)
  using Add = void (*)(const Cause& cause, Metadata& metadata);

  explicit Cause(Add how) noexcept;

  Add add;
  /// See extras_of_cause(). A pointer, so that only those who have causes compile what is behind it.
  Owner<EventExtras> (*extras)();
  const Cause* outer = nullptr;  ///< the next one, further out; set by CauseScope
};

/// The innermost cause of this thread; null for none. Whoever publishes looks at it, so it is of
/// trivial type and costs no more than a variable.
inline constinit thread_local const Cause* current_cause = nullptr;

/// Sets the current cause while it lives.
class CauseScope {
 public:
  /// @param cause  outlives the scope; those outside count too
  explicit CauseScope(Cause& cause) noexcept : outer_{current_cause} {
    cause.outer = outer_;
    current_cause = &cause;
  }
  /// No cause, whatever there is outside.
  explicit CauseScope(std::nullptr_t /*none*/) noexcept : outer_{current_cause} {
    current_cause = nullptr;
  }
  CauseScope(const CauseScope&) = delete;
  CauseScope& operator=(const CauseScope&) = delete;
  ~CauseScope() { current_cause = outer_; }

 private:
  const Cause* outer_;
};

/// Adds what is known of the current causes, but to keys that are there already: an inner one goes
/// before those outside.
/// @throws as Cause::Add
inline void add_cause(Metadata& metadata) {
  for (const Cause* cause = current_cause; cause != nullptr; cause = cause->outer) {
    cause->add(*cause, metadata);
  }
}

/// For an event that is being published without metadata: what the current causes give it.
/// @return null if there is none
/// @throws as add_cause()
inline Owner<EventExtras> extras_of_cause() {
  if (current_cause == nullptr) [[likely]]
    return {};
  return current_cause->extras();
}

inline Cause::Cause(Add how) noexcept
    : add{how}, extras{[] {
        Owner<EventExtras> fresh{new EventExtras};
        fresh->metadata = HeldMetadata{Metadata{}};
        add_cause(*fresh->metadata);
        return fresh;
      }} {}

/// An event whose consequences are told about it: correlation id and causation id.
struct CausingEvent : Cause {
  /// @param cause  outlives this
  template <class Data = Metadata>
  explicit CausingEvent(const EventBase& cause) noexcept : Cause{&add_ids<Data>}, event{cause} {}

  const EventBase& event;

 private:
  template <class Data>
  static void add_ids(const Cause& self, Data& metadata) {
    const EventBase& cause = static_cast<const CausingEvent&>(self).event;
    if (!metadata.contains(correlation_id_key)) {
      const MetadataValue* inherited = cause.metadata().find(correlation_id_key);
      metadata.set(std::string{correlation_id_key},
                   inherited != nullptr ? *inherited : MetadataValue{to_string(cause.id())});
    }
    if (!metadata.contains(causation_id_key)) {
      metadata.set(std::string{causation_id_key}, to_string(cause.id()));
    }
  }
};

}  // namespace detail
}  // namespace gossip
