// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// PatternTypes: which subscribed patterns and which event types belong together. Layer: dispatch.

#include <gossip/core/event_pattern.hpp>
#include <gossip/core/event_type.hpp>
#include <gossip/dispatch/subscription_record.hpp>
#include <gossip/dispatch/type_table.hpp>

namespace gossip::detail {

/// The records that are subscribed to patterns, in the order of subscribing, and the types that were
/// admitted. Owns neither.
///
/// Thread safety: every member under the registry's lock, but the static ones.
class PatternTypes {
 public:
  void add(SubscriptionRecord& record) noexcept {
    record.next_pattern = nullptr;
    (last_pattern_ == nullptr ? first_pattern_ : last_pattern_->next_pattern) = &record;
    last_pattern_ = &record;
  }
  /// @pre it was added
  void remove(const SubscriptionRecord& record) noexcept {
    SubscriptionRecord* before = nullptr;
    for (SubscriptionRecord* at = first_pattern_; at != &record; at = at->next_pattern) before = at;
    (before == nullptr ? first_pattern_ : before->next_pattern) = record.next_pattern;
    if (last_pattern_ == &record) last_pattern_ = before;
  }

  void admit(TypeEntry& type) noexcept {
    type.admitted_before = newest_;
    newest_ = &type;
  }
  /// The type that was admitted last; null if there is none.
  [[nodiscard]] TypeEntry* newest() const noexcept { return newest_; }

  /// Calls `visit(SubscriptionRecord&)` for each whose pattern matches the name, in the order of
  /// subscribing.
  template <class Visit>
  void for_each_pattern(const EventTypeName& name, Visit&& visit) const {
    for (auto* record = first_pattern_; record != nullptr; record = record->next_pattern) {
      if (record->pattern->matches(name.text())) visit(*record);
    }
  }
  /// Calls `visit(TypeEntry&)` for each type that the pattern matches, of `newest` and those that
  /// were admitted before it.
  template <class Visit>
  static void for_each_type(const EventPattern& pattern, TypeEntry* newest, Visit&& visit) {
    for (TypeEntry* type = newest; type != nullptr; type = type->admitted_before) {
      if (pattern.matches(type->name.text())) visit(*type);
    }
  }
  /// The same for whatever `record` is subscribed to.
  template <class Visit>
  static void for_each_type(const SubscriptionRecord& record, TypeEntry* newest, Visit&& visit) {
    if (record.pattern) return for_each_type(*record.pattern, newest, visit);
    visit(*record.type);
  }

 private:
  TypeEntry* newest_ = nullptr;
  SubscriptionRecord* first_pattern_ = nullptr;
  SubscriptionRecord* last_pattern_ = nullptr;
};

}  // namespace gossip::detail
