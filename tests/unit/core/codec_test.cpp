// SPDX-License-Identifier: MIT
#include <gossip/core/codec.hpp>

#include <catch2/catch_test_macros.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace {

/// The smallest codec: a number as text.
struct Text {
  static constexpr std::string_view content_type = "text/plain";
  template <class T>
    requires std::same_as<T, int>
  static gossip::Status encode(const int& data, std::string& bytes) {
    bytes += std::to_string(data);
    return {};
  }
  template <class T>
    requires std::same_as<T, int>
  static gossip::Status decode(std::string_view bytes, std::optional<int>& data) {
    data = static_cast<int>(bytes.size());
    return {};
  }
};
struct NoContentType {
  template <class T>
  static gossip::Status encode(const T&, std::string&);
  template <class T>
  static gossip::Status decode(std::string_view, std::optional<T>&);
};
struct DecodesToBool : Text {
  template <class T>
  static bool decode(std::string_view, std::optional<T>&);
};

static_assert(gossip::Codec<Text, int>);
static_assert(!gossip::Codec<Text, double>);
static_assert(!gossip::Codec<NoContentType, int>);
static_assert(!gossip::Codec<DecodesToBool, int>);

}  // namespace

TEST_CASE("Codec: a user's own codec is called by its concept", "[core]") {
  std::string bytes;
  REQUIRE(Text::encode<int>(1234, bytes).ok());
  std::optional<int> data;
  REQUIRE(Text::decode<int>(bytes, data).ok());
  REQUIRE(data == 4);
}
