// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// PayloadInfo: what is known at run time about a payload's C++ type. Layer: core.

#include <concepts>
#include <string_view>
#include <type_traits>

namespace gossip {

/// Stands for the payload of an EventType<void>.
struct NoData {
  friend constexpr bool operator==(NoData, NoData) noexcept { return true; }
};

/// A type that an event can carry: an object type that can be moved, or void.
template <class T>
concept Payload = std::is_void_v<T> ||(std::is_object_v<T>&& std::same_as<T, std::remove_cv_t<T>>&&
                                           std::move_constructible<T>&& std::destructible<T>);

/// What is stored for a payload `T`: `T` itself, or NoData for void.
template <Payload T>
using StoredPayload = std::conditional_t<std::is_void_v<T>, NoData, T>;

/// Arguments from which a payload can be made, in parentheses or, for aggregates, in braces.
template <class T, class... Args>
concept PayloadArguments = std::constructible_from<StoredPayload<T>, Args...> ||
    requires(Args&&... args) {
  StoredPayload<T>{static_cast<Args&&>(args)...};
};

/// Makes a payload. @throws what its constructor throws
template <Payload T, class... Args>
  requires PayloadArguments<T, Args...>
[[nodiscard]] StoredPayload<T> make_payload(Args&&... args) {
  if constexpr (std::constructible_from<StoredPayload<T>, Args...>) {
    return StoredPayload<T>(static_cast<Args&&>(args)...);
  } else {
    return StoredPayload<T>{static_cast<Args&&>(args)...};
  }
}

/// A payload's C++ type at run time. Two payload types are the same if their PayloadInfo objects
/// have the same address; the name is for people.
struct PayloadInfo {
  std::string_view name;  ///< as the compiler spells it
};

namespace detail {

/// The compiler's spelling of T, cut out of a function's signature.
template <class T>
constexpr std::string_view type_name() noexcept {
#if defined(_MSC_VER) && !defined(__clang__)
  std::string_view text = __FUNCSIG__;
  text.remove_prefix(text.find("type_name<") + 10);
  text.remove_suffix(text.size() - text.rfind(">("));
#else
  std::string_view text = __PRETTY_FUNCTION__;
  text.remove_prefix(text.find("T = ") + 4);
  text.remove_suffix(text.size() - text.find_first_of(";]"));
#endif
  return text;
}

template <class T>
inline constexpr PayloadInfo payload_info_of{type_name<T>()};

}  // namespace detail

/// The PayloadInfo of `T`.
template <class T>
[[nodiscard]] constexpr const PayloadInfo& payload_info() noexcept {
  return detail::payload_info_of<T>;
}

}  // namespace gossip
