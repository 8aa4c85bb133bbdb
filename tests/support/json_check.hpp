// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Whether a text is JSON (RFC 8259), as a reader that accepts nothing else sees it.

#include <string_view>

namespace gossip::test {

class JsonCheck {
 public:
  static bool is_json(std::string_view text) {
    JsonCheck check{text};
    if (!check.value()) return false;
    check.blanks();
    return check.text_.empty();
  }

 private:
  explicit JsonCheck(std::string_view text) : text_{text} {}

  bool take(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool take(std::string_view word) {
    if (text_.substr(0, word.size()) != word) return false;
    text_.remove_prefix(word.size());
    return true;
  }
  void blanks() {
    while (take(' ') || take('\n') || take('\t') || take('\r')) {
    }
  }

  bool string() {
    if (!take('"')) return false;
    while (!text_.empty() && text_.front() != '"') {
      if (static_cast<unsigned char>(text_.front()) < 0x20) return false;
      if (take('\\')) {
        if (text_.empty()) return false;
        const char c = text_.front();
        if (c == 'u') {
          if (text_.size() < 5 ||
              text_.substr(1, 4).find_first_not_of("0123456789abcdefABCDEF") != text_.npos)
            return false;
        } else if (std::string_view{"\"\\/bfnrt"}.find(c) == std::string_view::npos) {
          return false;
        }
      }
      text_.remove_prefix(1);
    }
    return take('"');
  }

  bool number() {
    static_cast<void>(take('-'));
    if (take('0')) return true;
    std::size_t digits = 0;
    while (!text_.empty() && text_.front() >= '0' && text_.front() <= '9') {
      text_.remove_prefix(1);
      ++digits;
    }
    return digits != 0;
  }

  /// The elements of an array or object, up to `end`.
  bool elements(char end, bool named) {
    blanks();
    if (take(end)) return true;
    do {
      blanks();
      if (named && !string()) return false;
      blanks();
      if (named && !take(':')) return false;
      if (!value()) return false;
      blanks();
    } while (take(','));
    return take(end);
  }

  bool value() {
    blanks();
    if (text_.empty()) return false;
    if (take('{')) return elements('}', true);
    if (take('[')) return elements(']', false);
    if (text_.front() == '"') return string();
    return take("true") || take("false") || take("null") || number();
  }

  std::string_view text_;
};

}  // namespace gossip::test
