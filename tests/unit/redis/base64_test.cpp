// SPDX-License-Identifier: MIT
#include <gossip/redis/base64.hpp>

#include <catch2/catch_test_macros.hpp>

#include <string>
#include <string_view>

using gossip::redis::append_base64;
using gossip::redis::read_base64;

namespace {

std::string written(std::string_view bytes) {
  std::string text;
  append_base64(bytes, text);
  return text;
}
std::string read(std::string_view text) {
  std::string bytes;
  return read_base64(text, bytes) ? bytes : "refused";
}

}  // namespace

TEST_CASE("Base64: the examples of RFC 4648", "[redis]") {
  const std::string_view whole{"foobar"};
  const char* const texts[]{"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    REQUIRE(written(whole.substr(0, size)) == texts[size]);
    REQUIRE(read(texts[size]) == whole.substr(0, size));
  }
  REQUIRE(written(std::string_view{"\0\xff\xfe", 3}) == "AP/+");
}

TEST_CASE("Base64: bytes of every value and number come back", "[redis]") {
  std::string bytes;
  for (int i = 0; i < 260; ++i) {
    REQUIRE(read(written(bytes)) == bytes);
    bytes += static_cast<char>(i);
  }
}

TEST_CASE("Base64: everything else is refused", "[redis]") {
  for (const char* text : {"Z", "Zg", "Zg=", "====", "Z===", "Zg==Zg==", "Zm=v", "Zm 9", "Zm9-",
                           "Zh==", "Zm9=", "Zg=a", "Zm9vYg==\n"}) {
    CAPTURE(text);
    REQUIRE(read(text) == "refused");
  }
}
