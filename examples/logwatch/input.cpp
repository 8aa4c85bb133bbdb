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
  errno = 0;
  stream_->getline(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
  const auto read = static_cast<std::size_t>(stream_->gcount());
  bytes_read_ += read;
  if (stream_->bad()) throw InputError{name_, "reading: " + std::generic_category().message(errno)};
  if (stream_->fail()) {
    if (read == 0) return std::nullopt;
    throw InputError{name_, "a line is longer than 1 MiB: this is no log"};
  }
  std::string line{buffer_.data(), stream_->eof() ? read : read - 1};  // without the line feed
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

}  // namespace logwatch
