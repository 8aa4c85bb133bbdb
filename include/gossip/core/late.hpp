// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Late: a type that a template knows only when it is used. Layer: core.

#include <type_traits>

namespace gossip::detail {

/// `T`, in a template that has a parameter `P`. A compiler makes a class, and what is constexpr of it,
/// where a template names it, be it in one that nobody uses; but not if that depends on a parameter.
template <class T, class P>
using Late = typename std::conditional<true, T, P>::type;

}  // namespace gossip::detail
