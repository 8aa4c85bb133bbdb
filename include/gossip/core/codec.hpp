// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Codec: how payloads become bytes and bytes payloads, for transports. Layer: core.

#include <gossip/core/payload.hpp>
#include <gossip/core/status.hpp>

#include <concepts>
#include <optional>
#include <string>
#include <string_view>

namespace gossip {

/// A class without state that turns payloads `T` into bytes and back. Semantic requirements:
/// 1. `C::content_type` is the media type of the bytes, a constant.
/// 2. `C::encode<T>(data, bytes)` appends to `bytes`; on failure their content does not matter.
/// 3. `C::decode<T>(bytes, data)` accepts whatever `encode` made, fills `data` on success, and answers
///    an error for every other input, however malformed, without undefined behaviour and with memory
///    and stack bounded by a multiple of the input.
/// 4. Both report failure by their Status; they throw nothing but std::bad_alloc.
// clang-format off
template <class C, class T>
concept Codec = requires(const StoredPayload<T>& data, std::string& bytes, std::string_view input,
                         std::optional<StoredPayload<T>>& result) {
  { C::content_type } -> std::convertible_to<std::string_view>;
  { C::template encode<T>(data, bytes) } -> std::same_as<Status>;
  { C::template decode<T>(input, result) } -> std::same_as<Status>;
};
// clang-format on

}  // namespace gossip
