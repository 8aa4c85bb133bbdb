// SPDX-License-Identifier: MIT
#include "input.hpp"

#include <cerrno>
#include <filesystem>
#include <iostream>
#include <system_error>

namespace logwatch {

Input::Input(const std::string& file)
    : name_{file == "-" ? "standard input" : file}, stream_{&file_} {
  if (file == "-") {
    std::ios::sync_with_stdio(false);
    stream_ = &std::cin;
    return;
  }
  if (std::error_code ignored; std::filesystem::is_directory(file, ignored)) {
    throw InputError{name_, "is a directory"};
  }
  errno = 0;
  file_.open(file, std::ios::binary);
  if (!file_) throw InputError{name_, std::generic_category().message(errno)};
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(file, error);
  if (!error) size_ = size;
}

std::optional<std::string> Input::next() {
  std::string line;
  errno = 0;
  if (!std::getline(*stream_, line)) {
    if (stream_->bad())
      throw InputError{name_, "reading: " + std::generic_category().message(errno)};
    return std::nullopt;
  }
  bytes_read_ += line.size() + 1;
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

}  // namespace logwatch
