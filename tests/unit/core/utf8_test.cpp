// SPDX-License-Identifier: MIT
#include <gossip/core/utf8.hpp>

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <string_view>

using gossip::detail::append_utf8;
using gossip::detail::utf8_size;

TEST_CASE("UTF-8: every character that is written is recognised whole", "[utf8]") {
  for (unsigned code = 0; code <= 0x10ffff; code += code < 0x900 ? 1 : 61) {
    std::string text;
    append_utf8(code, text);
    const bool surrogate = code >= 0xd800 && code < 0xe000;
    const bool whole = utf8_size(text + "x") == text.size();
    if (whole == surrogate) FAIL(code);
    if (utf8_size(std::string_view{text}.substr(0, text.size() - 1)) != 0) FAIL(code);
  }
  std::string text;
  append_utf8(0x1f600, text);
  REQUIRE(text == "\xf0\x9f\x98\x80");
}

TEST_CASE("UTF-8: what is none is refused", "[utf8]") {
  for (const char* text : {"", "\x80", "\xff", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf",
                           "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
                           "\xf5\x80\x80\x80", "\xc3(", "\xe2\x82(", "\xf0\x9f\x98("}) {
    CAPTURE(text);
    REQUIRE(utf8_size(text) == 0);
  }
}

TEST_CASE("UTF-8: for_each_character replaces what is none", "[utf8]") {
  std::string text;
  gossip::detail::for_each_character("a\xc3\xa4\xff\xc3(\xe2\x82", [&](std::string_view character) {
    text += '|';
    text += character;
  });
  CHECK(text == "|a|\xc3\xa4|\xef\xbf\xbd|\xef\xbf\xbd|(|\xef\xbf\xbd|\xef\xbf\xbd");
}
