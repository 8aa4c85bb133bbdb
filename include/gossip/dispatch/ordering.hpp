// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Ordering and LaneOptions: in which order a subscription handles its events, and what happens when
/// they come faster than that. Layer: dispatch.

#include <gossip/core/any_event.hpp>
#include <gossip/core/event.hpp>
#include <gossip/core/payload.hpp>
#include <gossip/core/shared.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <type_traits>
#include <utility>

namespace gossip {

/// What publishing does when a subscription's lane is full. Every policy counts what it does (see
/// LaneStatistics).
enum class LaneOverflow : std::uint8_t {
  block,        ///< wait for a place; a worker runs queued events meanwhile
  reject,       ///< refuse: publish answers Errc::queue_full, and no subscription gets the event
  drop_oldest,  ///< make a place by dropping the event that waits longest
  drop_newest,  ///< this subscription does without the new event; others get it
  coalesce,     ///< of each key only the latest event waits; when full, as drop_oldest
};

/// The policy's name, such as "drop_oldest"; "unknown" for a value that is none.
[[nodiscard]] constexpr const char* to_string(LaneOverflow policy) noexcept {
  switch (policy) {
    case LaneOverflow::block: return "block";
    case LaneOverflow::reject: return "reject";
    case LaneOverflow::drop_oldest: return "drop_oldest";
    case LaneOverflow::drop_newest: return "drop_newest";
    case LaneOverflow::coalesce: return "coalesce";
  }
  return "unknown";
}

/// Where a subscription's events wait if it asks for an order, a cap, or any of this.
struct LaneOptions {
  /// How many events may wait, 1 to 2^20; those being handled, or waiting for another attempt, do not
  /// count. The memory for so many is taken when subscribing, about 100 bytes each. // events
  std::size_t capacity = 1024;
  /// What publishing does when that many wait.
  LaneOverflow overflow = LaneOverflow::block;

  friend bool operator==(const LaneOptions&, const LaneOptions&) = default;
};

namespace detail {

/// An event whose key is asked for, with what it takes to make an AnyEvent of it.
struct KeySubject {
  const EventBase& event;
  const PayloadInfo& payload;
  SharedEvent (*copier)(const EventBase& event);
};

/// A function from events to keys, its type erased. Shared by the Orderings that are copies.
struct KeyFunction {
  SharedCount count;
  const PayloadInfo* payload;  ///< that it takes; null: any
  std::uint64_t (*hash)(const KeyFunction& self, const KeySubject& subject);
  void (*destroy)(KeyFunction* self) noexcept;
};

/// The parameter's type of a callable that has one signature; without `type` for others.
/// @{
template <class F>
struct KeyParameter {};
template <class R, class A>
struct KeyParameter<R (*)(A)> : std::remove_cvref<A> {};
template <class R, class A>
struct KeyParameter<R (*)(A) noexcept> : std::remove_cvref<A> {};
template <class R, class C, class A>
struct KeyParameter<R (C::*)(A) const> : std::remove_cvref<A> {};
template <class R, class C, class A>
struct KeyParameter<R (C::*)(A) const noexcept> : std::remove_cvref<A> {};
template <class R, class C>
struct KeyParameter<R C::*> : std::type_identity<C> {};  // a member of the payload
template <class F>
  requires requires { &F::operator(); }
struct KeyParameter<F> : KeyParameter<decltype(&F::operator())> {};
/// @}

/// What the payload type is of a function that takes an `A`, and the form in which it takes it.
/// @{
template <class A>
struct KeyPayload : std::type_identity<A> {};
template <>
struct KeyPayload<NoData> : std::type_identity<void> {};
template <class T>
struct KeyPayload<Event<T>> : std::type_identity<T> {};
/// @}

template <class F>
concept HasKeyParameter = requires {
  typename KeyParameter<F>::type;
};

template <class F, class A>
concept KeyOf = std::copy_constructible<F> && std::invocable<const F&, const A&> && requires {
  std::hash<std::remove_cvref_t<std::invoke_result_t<const F&, const A&>>>{};
};

/// A function that is given events of payload `T`; AnyEvent stands for any.
template <class F, class T>
concept KeyFunctionFor = KeyOf<F, T> ||(!std::same_as<T, AnyEvent> && KeyOf<F, Event<T>>);
template <class F>
concept KeyFunctionForNothing = KeyOf<F, Event<void>> || KeyOf<F, NoData>;

}  // namespace detail

/// The order in which a subscription handles its events. A value; copies share the key function.
///
/// Example: examples/processing/ordering.cpp.
class Ordering {
 public:
  /// The orders that there are.
  enum class Kind : std::uint8_t {
    unordered,      ///< as workers come by, any number at the same time
    per_publisher,  ///< first in, first out for each publishing thread
    by_key,         ///< first in, first out for each key
  };
  /// The kind's name, such as "by_key"; "unknown" for a value that is none.
  [[nodiscard]] friend constexpr const char* to_string(Kind kind) noexcept {
    switch (kind) {
      case Kind::unordered: return "unordered";
      case Kind::per_publisher: return "per_publisher";
      case Kind::by_key: return "by_key";
    }
    return "unknown";
  }

  /// Unordered.
  /// @{
  Ordering() noexcept = default;
  [[nodiscard]] static Ordering unordered() noexcept { return {}; }
  /// @}

  /// What one thread publishes is handled one at a time, in the order of publishing; what different
  /// threads publish, at the same time. Of a provider that receives events on a thread of its own,
  /// that thread is the publisher.
  [[nodiscard]] static Ordering per_publisher() noexcept {
    return Ordering{Kind::per_publisher, nullptr};
  }

  /// Events with equal keys are handled one at a time, in the order of publishing; others at the same
  /// time.
  /// @param key  called with the payload `const T&`, the `const Event<T>&`, or (for any event, so that
  ///             it can be used with patterns) the `const AnyEvent&`, of which the first form fixes T;
  ///             `&Order::customer`, too. Returns what std::hash can hash; keys with equal hashes
  ///             count as equal. Called on the publisher's thread, by several at once; what it throws
  ///             is what publishing answers, and nobody gets the event then
  /// @throws     std::bad_alloc, and what copying or moving `key` throws
  /// @{
  template <class F>
    requires detail::HasKeyParameter<F>
  [[nodiscard]] static Ordering by_key(F key) {
    return keyed<typename detail::KeyPayload<typename detail::KeyParameter<F>::type>::type>(
        std::move(key));
  }
  /// For a function with several signatures, such as a generic lambda.
  template <class T, class F>
  [[nodiscard]] static Ordering by_key(F key) {
    return keyed<T>(std::move(key));
  }
  /// @}

  /// Copies share the key function; a moved-from one is unordered.
  /// @{
  Ordering(const Ordering& other) noexcept : kind_{other.kind_}, function_{other.function_} {
    if (function_ != nullptr) function_->count.add_holder();
  }
  Ordering(Ordering&& other) noexcept : kind_{other.kind_}, function_{other.function_} {
    other.kind_ = Kind::unordered;
    other.function_ = nullptr;
  }
  Ordering& operator=(Ordering other) noexcept {
    detail::KeyFunction* const mine = function_;
    kind_ = other.kind_;
    function_ = other.function_;
    other.function_ = mine;
    return *this;
  }
  /// @}
  ~Ordering() {
    if (function_ != nullptr && function_->count.drop_holder()) function_->destroy(function_);
  }

  /// Which order it is.
  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  /// The payload that the key function takes; null if it takes any, or there is none.
  [[nodiscard]] const PayloadInfo* payload() const noexcept {
    return function_ != nullptr ? function_->payload : nullptr;
  }
  /// For use by gossip. @pre kind() is by_key @throws what the key function throws
  [[nodiscard]] std::uint64_t key_of(const detail::KeySubject& subject) const {
    return function_->hash(*function_, subject);
  }

 private:
  Ordering(Kind kind, detail::KeyFunction* function) noexcept : kind_{kind}, function_{function} {
    if (function_ != nullptr) function_->count.add_holder();
  }

  template <class T, class F>
  static Ordering keyed(F key) {
    if constexpr (std::is_void_v<T>) {
      static_assert(
          detail::KeyFunctionForNothing<F>,
          "Ordering::by_key: the function must be callable, as const, with the event, and "
          "return something that std::hash can hash");
    } else {
      static_assert(
          detail::KeyFunctionFor<F, T>,
          "Ordering::by_key: the function must be callable, as const, with the payload or "
          "the event, and return something that std::hash can hash");
    }
    return Ordering{Kind::by_key, new Key<T, F>{std::move(key)}};
  }

  template <class T, class F>
  struct Key : detail::KeyFunction {
    explicit Key(F&& moved)
        : KeyFunction{{},
                      std::is_same_v<T, AnyEvent> ? nullptr : &payload_info<T>(),
                      &hash_of,
                      [](KeyFunction* self) noexcept { delete static_cast<Key*>(self); }},
          key{std::move(moved)} {}

    static std::uint64_t hash_of(const KeyFunction& self, const detail::KeySubject& subject) {
      const F& function = static_cast<const Key&>(self).key;
      if constexpr (std::is_same_v<T, AnyEvent>) {
        return hash_by(function, detail::AnyEventAccess::refer_to(subject.event, subject.payload,
                                                                  subject.copier));
      } else {
        const auto& event = static_cast<const Event<T>&>(subject.event);
        if constexpr (detail::KeyOf<F, StoredPayload<T>>) {
          return hash_by(function, event.data());
        } else {
          return hash_by(function, event);
        }
      }
    }
    template <class A>
    static std::uint64_t hash_by(const F& function, const A& argument) {
      decltype(auto) value = std::invoke(function, argument);
      return std::hash<std::remove_cvref_t<decltype(value)>>{}(value);
    }

    F key;
  };

  Kind kind_ = Kind::unordered;
  detail::KeyFunction* function_ = nullptr;
};

}  // namespace gossip
