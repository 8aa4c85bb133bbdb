// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Input: a file or standard input, line by line.

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iosfwd>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace logwatch {

/// A log that cannot be read; says which and why.
class InputError : public std::runtime_error {
 public:
  InputError(const std::string& name, const std::string& reason)
      : std::runtime_error{name + ": " + reason} {}
};

class Input {
 public:
  /// @param file  "-" for standard input
  /// @throws InputError
  explicit Input(const std::string& file);
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;
  ~Input() = default;

  /// The next line, without its end; nothing after the last.
  /// @throws InputError
  std::optional<std::string> next();

  /// How it is called in messages.
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::uint64_t bytes_read() const { return bytes_read_; }  // bytes
  /// Of a regular file; else 0.
  [[nodiscard]] std::uint64_t size() const { return size_; }  // bytes

 private:
  std::string name_;
  std::ifstream file_;
  std::istream* stream_;
  std::vector<char> buffer_ = std::vector<char>((1U << 20U) + 1);  ///< of a line, and a zero
  std::uint64_t bytes_read_ = 0;
  std::uint64_t size_ = 0;
};

}  // namespace logwatch
