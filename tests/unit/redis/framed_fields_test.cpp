// SPDX-License-Identifier: MIT
#include <gossip/redis/framed_fields.hpp>

#include <catch2/catch_test_macros.hpp>

#include <cstddef>
#include <random>
#include <string>
#include <string_view>

using gossip::redis::Fields;
using gossip::redis::frame_fields;
using gossip::redis::unframe_fields;

TEST_CASE("framed fields: what was written is read, whatever the bytes", "[redis]") {
  const Fields fields{{"a", ""}, {"", "b"}, {std::string{"\0\r\n", 3}, "$5\r\n*2\r\n"}};
  std::string text;
  frame_fields(fields, text);
  REQUIRE(text.find("*6\r\n$1\r\na\r\n$0\r\n\r\n") == 0);
  Fields read{{"left", "over"}};
  REQUIRE(unframe_fields(text, read).ok());
  REQUIRE(read == fields);
  text.clear();
  frame_fields({}, text);
  REQUIRE(unframe_fields(text, read).ok());
  REQUIRE(read.empty());
}

TEST_CASE("framed fields: every part of a text is refused", "[redis]") {
  std::string text;
  frame_fields({{"name", "value"}, {"other", "thing"}}, text);
  Fields read;
  for (std::size_t size = 0; size < text.size(); ++size) {
    REQUIRE(gossip::is_validation(unframe_fields(std::string_view{text}.substr(0, size), read)));
  }
  REQUIRE_FALSE(unframe_fields(text + "x", read).ok());
}

TEST_CASE("framed fields: nonsense is refused, and takes no memory", "[redis]") {
  Fields read;
  for (const char* text : {"*1\r\n$1\r\na\r\n", "*18446744073709551614\r\n",
                           "*2\r\n$18446744073709551615\r\na\r\n", "*2\r\n$-1\r\n$1\r\na\r\n",
                           "*-2\r\n", "* 2\r\n", "*2\n$1\na\n", "$2\r\nab\r\n", "*+2\r\n"}) {
    INFO(text);
    REQUIRE(gossip::is_validation(unframe_fields(text, read)));
  }
  std::mt19937 random{1};
  for (int i = 0; i < 5000; ++i) {
    std::string text(random() % 30, '\0');
    for (char& byte : text) byte = "*$\r\n0129ab"[random() % 10];
    static_cast<void>(unframe_fields(text, read));
  }
}
