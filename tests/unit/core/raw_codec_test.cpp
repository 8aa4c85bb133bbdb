// SPDX-License-Identifier: MIT
#include <gossip/core/raw_codec.hpp>

#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

using gossip::RawCodec;

namespace {

struct Tick {
  std::int64_t price = 0;
  std::uint32_t volume = 0;
  bool operator==(const Tick&) const = default;
};
struct Versioned {
  int value = 0;
};

}  // namespace

template <>
inline constexpr std::uint16_t gossip::raw_version<Versioned> = 258;

TEST_CASE("RawCodec: what was written is read", "[core]") {
  std::string bytes;
  REQUIRE(RawCodec::encode<Tick>({-5, 7}, bytes).ok());
  REQUIRE(bytes.size() == 8 + sizeof(Tick));
  std::optional<Tick> read;
  REQUIRE(RawCodec::decode<Tick>(bytes, read).ok());
  REQUIRE(read == Tick{-5, 7});
}

TEST_CASE("RawCodec: another size, version, byte order or format is refused", "[core]") {
  std::string bytes;
  REQUIRE(RawCodec::encode<Versioned>({7}, bytes).ok());
  std::optional<Versioned> read;
  REQUIRE(RawCodec::decode<Versioned>(bytes, read).ok());
  for (std::size_t at = 0; at < 8; ++at) {
    std::string other = bytes;
    other[at] = static_cast<char>(other[at] + 1);
    REQUIRE(gossip::is_validation(RawCodec::decode<Versioned>(other, read)));
  }
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    REQUIRE(gossip::is_validation(
        RawCodec::decode<Versioned>(std::string_view{bytes}.substr(0, size), read)));
  }
  REQUIRE(gossip::is_validation(RawCodec::decode<Versioned>(bytes + '\0', read)));
}

TEST_CASE("RawCodec: what is not trivially copyable has no raw bytes", "[core]") {
  STATIC_REQUIRE(gossip::Codec<RawCodec, Tick>);
  STATIC_REQUIRE((gossip::Codec<RawCodec, int> && gossip::Codec<RawCodec, void>));
  STATIC_REQUIRE_FALSE(gossip::Codec<RawCodec, std::string>);
}
