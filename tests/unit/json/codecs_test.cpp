// SPDX-License-Identifier: MIT
#include <gossip/json/codecs.hpp>

#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

using gossip::CborCodec;
using gossip::JsonCodec;
using gossip::MessagePackCodec;
using gossip::NoData;

namespace {

struct Order {
  std::string id;
  std::int64_t amount = 0;
  std::vector<std::string> items;
  bool operator==(const Order&) const = default;
  NLOHMANN_DEFINE_TYPE_INTRUSIVE(Order, id, amount, items)
};

/// What its conversion throws.
struct Touchy {};
void to_json(nlohmann::json&, const Touchy&) { throw gossip::FatalError{"not today"}; }
void from_json(const nlohmann::json&, Touchy&) { throw gossip::FatalError{"not today"}; }

template <class Codec, class T>
gossip::Status decode(std::string_view bytes, std::optional<T>& data) {
  return Codec::template decode<T>(bytes, data);
}

}  // namespace

TEMPLATE_TEST_CASE("Json codecs: what was written is read", "[json]", JsonCodec, CborCodec,
                   MessagePackCodec) {
  const Order order{"order-1", std::numeric_limits<std::int64_t>::max(), {"a", "\xc3\xa9\n\""}};
  std::string bytes = "before";
  REQUIRE(TestType::template encode<Order>(order, bytes).ok());
  REQUIRE(bytes.find("before") == 0);
  std::optional<Order> read;
  REQUIRE(decode<TestType>(std::string_view{bytes}.substr(6), read).ok());
  REQUIRE(read == order);
}

TEMPLATE_TEST_CASE("Json codecs: an event without data is null", "[json]", JsonCodec, CborCodec,
                   MessagePackCodec) {
  std::string bytes;
  REQUIRE(TestType::template encode<void>(NoData{}, bytes).ok());
  std::optional<NoData> read;
  REQUIRE(TestType::template decode<void>(bytes, read).ok());
  REQUIRE(read.has_value());
  bytes.clear();
  REQUIRE(TestType::template encode<int>(7, bytes).ok());
  REQUIRE(gossip::is_validation(TestType::template decode<void>(bytes, read)));
}

TEMPLATE_TEST_CASE("Json codecs: the beginning of a payload is not a payload", "[json]", JsonCodec,
                   CborCodec, MessagePackCodec) {
  std::string bytes;
  REQUIRE(TestType::template encode<Order>({"order-1", 5, {"a", "b"}}, bytes).ok());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    std::optional<Order> read;
    REQUIRE_FALSE(decode<TestType>(std::string_view{bytes}.substr(0, size), read).ok());
    REQUIRE_FALSE(read.has_value());
  }
  bytes += '}';
  std::optional<Order> read;
  REQUIRE_FALSE(decode<TestType>(bytes, read).ok());
}

TEMPLATE_TEST_CASE("Json codecs: random bytes are an error or a payload, never worse", "[json]",
                   JsonCodec, CborCodec, MessagePackCodec) {
  std::mt19937 random{1};
  for (int i = 0; i < 3000; ++i) {
    std::string bytes(random() % 40, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    std::optional<Order> read;
    static_cast<void>(decode<TestType>(bytes, read));
  }
}

TEST_CASE("JsonCodec: what is not the payload is refused", "[json]") {
  for (const char* text : {"null", "{}", "[]", "\"x\"", "", " ", "{\"id\":1}", "nul", "{\"id\":",
                           "{\"id\":\"a\",\"amount\":\"b\",\"items\":[]}", "\xff", "1 2"}) {
    std::optional<Order> read;
    INFO(text);
    REQUIRE(gossip::is_validation(decode<JsonCodec>(text, read)));
    REQUIRE_FALSE(read.has_value());
  }
}

TEST_CASE("Json codecs: nesting is limited, whatever the format", "[json]") {
  std::optional<nlohmann::json> read;
  const std::size_t depth = gossip::max_json_depth;
  REQUIRE(decode<JsonCodec>(std::string(depth, '[') + std::string(depth, ']'), read).ok());
  const std::size_t huge = 1'000'000;
  REQUIRE(gossip::is_validation(decode<JsonCodec>(std::string(depth + 1, '['), read)));
  REQUIRE(gossip::is_validation(decode<JsonCodec>(std::string(huge, '['), read)));
  REQUIRE(gossip::is_validation(decode<CborCodec>(std::string(huge, '\x81'), read)));
  REQUIRE(gossip::is_validation(decode<MessagePackCodec>(std::string(huge, '\x91'), read)));
}

TEST_CASE("Json codecs: text that is not UTF-8 is refused by the writer", "[json]") {
  std::string bytes;
  REQUIRE(gossip::is_validation(JsonCodec::encode<std::string>("\xff", bytes)));
}

TEST_CASE("Json codecs: an error out of the user's conversion keeps its kind", "[json]") {
  std::string bytes;
  REQUIRE(gossip::is_fatal(JsonCodec::encode<Touchy>({}, bytes)));
  std::optional<Touchy> read;
  REQUIRE(gossip::is_fatal(JsonCodec::decode<Touchy>("{}", read)));
}
