// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// EventType: the name of a kind of event, tied to the type of its payload. Layer: core.

#include <gossip/core/text.hpp>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

namespace gossip {

/// Longest name of an event type. // bytes
inline constexpr std::size_t max_event_type_name_bytes = 255;

namespace detail {

constexpr bool is_event_type_character(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

inline constexpr std::size_t no_fault = static_cast<std::size_t>(-1);

/// The position of the first byte that makes `name` invalid; no_fault if it is valid.
constexpr std::size_t find_event_type_fault(std::string_view name) noexcept {
  bool token_empty = true;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (i == max_event_type_name_bytes) return i;
    const bool dot = name[i] == '.';
    if (dot ? token_empty : !is_event_type_character(name[i])) return i;
    token_empty = dot;
  }
  return token_empty ? name.size() : no_fault;
}

/// 64-bit FNV-1a (Fowler, Noll, Vo), finished with a multiply-shift so that the low bits mix.
constexpr std::uint64_t hash_of_name(std::string_view name) noexcept {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : name) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 1099511628211ULL;
  }
  return hash ^ (hash >> 32U);
}

/// Declared and never defined: a constant expression that calls it is ill-formed, and the compiler
/// prints its name.
void event_type_names_are_dot_separated_tokens_of_letters_digits_underscore_and_hyphen();

/// `text` with every byte that is not printable ASCII as \xNN.
inline std::string printable(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const char escape[] = {'\\', 'x', "0123456789abcdef"[byte >> 4U],
                           "0123456789abcdef"[byte & 15U]};
    const bool plain = byte >= 0x20 && byte < 0x7f;
    result.append(plain ? &c : escape, plain ? 1 : sizeof escape);
  }
  return result;
}

/// Texts that live for ever: a hash table that only grows.
///
/// Thread safety: any thread; takes a mutex.
class InternedNames {
 public:
  /// A copy of `name`; equal names share one copy. @throws std::bad_alloc
  std::string_view intern(std::string_view name) {
    const std::lock_guard lock{mutex_};
    Name*& bucket = buckets_[hash_of_name(name) % std::size(buckets_)];
    for (const Name* known = bucket; known != nullptr; known = known->next) {
      if (known->text == name) return known->text;
    }
    bucket = new Name{join({name}), bucket};
    return bucket->text;
  }

 private:
  struct Name {
    const std::string text;
    Name* next;
  };

  std::mutex mutex_;
  Name* buckets_[512]{};
};

/// A copy of `name` that lives for ever; equal names share one copy.
inline std::string_view intern_name(std::string_view name) {
  static InternedNames& names = *new InternedNames;  // event types may be used by static objects
  return names.intern(name);
}

struct EventTypeAccess;

}  // namespace detail

/// The part of an event type that does not depend on its payload: a validated name and its hash.
/// The text lives for ever.
class EventTypeName {
 public:
  /// The name, such as "auth.user.created".
  [[nodiscard]] constexpr std::string_view text() const noexcept { return text_; }
  /// A hash of the name; equal names have equal hashes, in every process.
  [[nodiscard]] constexpr std::uint64_t hash() const noexcept { return hash_; }

  [[nodiscard]] friend constexpr bool operator==(const EventTypeName& a,
                                                 const EventTypeName& b) noexcept {
    return a.hash_ == b.hash_ && a.text_ == b.text_;
  }
  /// True if both refer to the same characters, so that they are equal. Equal ones may not.
  [[nodiscard]] bool is_same_text(const EventTypeName& other) const noexcept {
    return text_.data() == other.text_.data() && text_.size() == other.text_.size();
  }

 private:
  template <class>
  friend class EventType;

  constexpr explicit EventTypeName(std::string_view text) noexcept
      : text_{text}, hash_{detail::hash_of_name(text)} {}

  std::string_view text_;
  std::uint64_t hash_;
};

/// The name of a kind of event whose payload is a `T`; `void` for events without data.
///
/// A name is one or more tokens joined by dots, at most 255 bytes; a token is one or more letters,
/// digits, underscores or hyphens. By convention `domain.entity.action`.
///
/// @code
/// inline constexpr gossip::EventType<UserData> user_created{"auth.user.created"};
/// @endcode
///
/// Thread safety: immutable; trivially copyable.
template <class T>
class EventType {
 public:
  /// `void` if the event carries no data.
  using payload_type = T;

  /// From a string literal; an invalid name does not compile.
  template <std::size_t N>
  consteval EventType(const char (&name)[N]) : name_{std::string_view{name, N - 1}} {
    if (detail::find_event_type_fault(name_.text()) != detail::no_fault) {
      detail::event_type_names_are_dot_separated_tokens_of_letters_digits_underscore_and_hyphen();
    }
  }

  /// From a text known only at run time. The name is kept for the life of the process, once per
  /// distinct name: do not make names from unbounded input.
  /// @throws std::invalid_argument  the name is invalid; says where and what is allowed
  /// @throws std::bad_alloc
  /// @par Thread safety any thread
  /// @par Blocking      a mutex around the table of names
  [[nodiscard]] static EventType parse(std::string_view name) {
    const std::size_t fault = detail::find_event_type_fault(name);
    if (fault != detail::no_fault) {
      throw std::invalid_argument{detail::join(
          {"event type \"", detail::printable(name.substr(0, max_event_type_name_bytes)),
           "\": invalid at byte ", detail::Decimal{fault},
           "; allowed: tokens of letters, digits, '_' and '-', joined by '.', at most ",
           detail::Decimal{max_event_type_name_bytes}, " bytes"})};
    }
    return EventType{EventTypeName{detail::intern_name(name)}};
  }

  /// The name, such as "auth.user.created"; lives for ever.
  [[nodiscard]] constexpr std::string_view name() const noexcept { return name_.text(); }
  /// The name with its hash.
  [[nodiscard]] constexpr const EventTypeName& key() const noexcept { return name_; }

  [[nodiscard]] friend constexpr bool operator==(const EventType&, const EventType&) = default;

 private:
  friend detail::EventTypeAccess;

  constexpr explicit EventType(EventTypeName name) noexcept : name_{name} {}

  EventTypeName name_;
};

namespace detail {

/// For those who know a name's payload otherwise.
struct EventTypeAccess {
  template <class T>
  static EventType<T> typed(const EventTypeName& name) noexcept {
    return EventType<T>{name};
  }
};

}  // namespace detail

}  // namespace gossip

template <class T>
struct std::hash<gossip::EventType<T>> {
  [[nodiscard]] std::size_t operator()(const gossip::EventType<T>& type) const noexcept {
    return static_cast<std::size_t>(type.key().hash());
  }
};
