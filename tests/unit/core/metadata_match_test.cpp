// SPDX-License-Identifier: MIT
#include <gossip/core/metadata_match.hpp>

#include <catch2/catch_test_macros.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace {

using gossip::Metadata;
using gossip::MetadataKey;
using gossip::MetadataMatch;
using gossip::MetadataValue;

TEST_CASE("MetadataMatch: is where its key has an equal value", "[metadata_match]") {
  const std::string long_text(30, 'x');
  const std::vector<MetadataValue> values{{},
                                          true,
                                          false,
                                          1,
                                          -1,
                                          UINT64_MAX,
                                          1.5,
                                          -0.0,
                                          "",
                                          "x",
                                          std::string(13, 'x'),
                                          std::string(14, 'x'),
                                          long_text,
                                          long_text + "y"};
  // The last of as many entries as are indexed, and of more; under short and long keys; set twice.
  for (const std::size_t before : {0U, 1U, 5U, 6U, 7U, 12U}) {
    for (const std::size_t size : {3U, 14U, 15U, 30U}) {
      for (const MetadataValue& there : values) {
        const MetadataKey key{std::string(size, 'k')};
        Metadata metadata;
        for (std::size_t i = 0; i < before; ++i)
          metadata.set(std::string(size, 'k') + "x" + std::to_string(i), i);
        metadata.set(key.text(), "something else");
        metadata.set(key.text(), there);
        for (const MetadataValue& wanted : values) {
          REQUIRE(MetadataMatch{key, wanted}.is_in(metadata) == (there == wanted));
          REQUIRE(MetadataMatch{key, wanted}.is_in(Metadata{metadata}) == (there == wanted));
        }
        REQUIRE_FALSE(MetadataMatch{MetadataKey{"absent"}, there}.is_in(metadata));
        REQUIRE_FALSE(
            MetadataMatch{MetadataKey{std::string(size + 1, 'k')}, there}.is_in(metadata));
      }
    }
  }
}

TEST_CASE("MetadataMatch: keys that share their tag are told apart", "[metadata_match]") {
  // Of so many keys in pairs some share the byte that tells where to look.
  for (int i = 0; i < 1000; ++i) {
    std::string one = std::to_string(i);
    std::string two = one;
    one += 'k';
    two += 'l';
    Metadata metadata;
    metadata.set(one, 1);
    metadata.set(two, 2);
    for (const auto& [name, value] : {std::pair{one, 1}, std::pair{two, 2}}) {
      const MetadataKey key{name};
      REQUIRE(MetadataMatch{key, value}.is_in(metadata));
      REQUIRE_FALSE(MetadataMatch{key, 3 - value}.is_in(metadata));
    }
  }
}

TEST_CASE("MetadataMatch: is in nothing that is empty", "[metadata_match]") {
  CHECK_FALSE(MetadataMatch{MetadataKey{""}, MetadataValue{}}.is_in(Metadata{}));
  CHECK_FALSE(MetadataMatch{MetadataKey{std::string(30, 'k')}, 1.5}.is_in(Metadata{}));
}

TEST_CASE("MetadataMatch: no floating-point number that is none is in anything",
          "[metadata_match]") {
  const double none = std::numeric_limits<double>::quiet_NaN();
  Metadata metadata;
  metadata.set("k", none);
  CHECK_FALSE(MetadataMatch{MetadataKey{"k"}, none}.is_in(metadata));
}

}  // namespace
