// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// SourceLocation: a place in a program's source. Layer: core.

#include <cstdint>

namespace gossip {

/// A place in a program's source: std::source_location where that is missing (clang 14 has none beside
/// GNU's library). Texts live for ever.
struct SourceLocation {
  const char* file = "";      ///< as the compiler was told
  std::uint32_t line = 0;     ///< counted from 1; 0: unknown
  const char* function = "";  ///< its name, without parameters

  /// Where this is called from; as a default argument, or the initialiser of a member: where that is
  /// made use of. @throws nothing
  [[nodiscard]] static constexpr SourceLocation current(
      const char* file = __builtin_FILE(), std::uint32_t line = __builtin_LINE(),
      const char* function = __builtin_FUNCTION()) noexcept {
    return {file, line, function};
  }
};

}  // namespace gossip
