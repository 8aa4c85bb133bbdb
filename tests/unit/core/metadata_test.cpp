// SPDX-License-Identifier: MIT
#include <gossip/core/metadata.hpp>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace {

using gossip::Metadata;
using gossip::MetadataValue;

TEST_CASE("Metadata: keeps entries in the order in which keys were first set", "[metadata]") {
  Metadata metadata;
  CHECK(metadata.empty());
  metadata.set("b", 1);
  metadata.set("a", "x");
  metadata.set("b", 2);
  CHECK(metadata.size() == 2);
  std::vector<std::string> keys;
  for (const auto& [key, value] : metadata) keys.push_back(key);
  CHECK(keys == std::vector<std::string>{"b", "a"});
  CHECK(*metadata.find("b") == MetadataValue{2});
}

TEST_CASE("Metadata: find answers null for a key that is not there", "[metadata]") {
  Metadata metadata;
  metadata.set("key", 1);
  CHECK(metadata.find("other") == nullptr);
  CHECK(metadata.find("ke") == nullptr);
  CHECK(metadata.contains("key"));
  CHECK_FALSE(metadata.contains(""));
}

TEST_CASE("Metadata: equal means the same entries", "[metadata]") {
  Metadata a;
  Metadata b;
  CHECK(a == b);
  a.set("k", 5);
  CHECK(a != b);
  b.set("k", std::int64_t{5});
  CHECK(a == b);
  b.set("k", 5.0);
  CHECK(a != b);
}

TEST_CASE("Metadata: a prepared key finds what its text finds", "[metadata]") {
  // Keys of 0 to 40 bytes that differ in one byte, more of them than have digests.
  std::vector<std::string> keys;
  for (std::size_t size = 0; size <= 40; ++size) {
    keys.emplace_back(size, 'k');
    for (std::size_t at = 0; at < size; at += size < 12 ? 1 : 5) {
      keys.push_back(std::string(size, 'k'));
      keys.back()[at] = at % 2 == 0 ? 'l' : '\xff';
    }
  }
  for (std::size_t first = 0; first < keys.size(); first += 3) {
    Metadata metadata;
    for (std::size_t i = first; i < first + 12 && i < keys.size(); ++i) {
      metadata.set(keys[i], i);
    }
    for (const std::string& key : keys) {
      const gossip::MetadataKey prepared{key};
      REQUIRE(metadata.find(prepared) == metadata.find(key));
      REQUIRE(metadata.contains(prepared) == metadata.contains(key));
      REQUIRE((metadata.find(key) != nullptr) ==
              std::any_of(metadata.begin(), metadata.end(),
                          [&](const auto& entry) { return entry.first == key; }));
    }
  }
  CHECK(gossip::MetadataKey{"tenant"}.text() == "tenant");
  CHECK(Metadata{}.find(gossip::MetadataKey{""}) == nullptr);
}

TEST_CASE("Metadata: a key that is set again keeps its place", "[metadata]") {
  Metadata metadata;
  metadata.set("a", 1);
  metadata.set("b", 2);
  metadata.set("a", 3);
  CHECK(metadata.size() == 2);
  CHECK(*metadata.find(gossip::MetadataKey{"a"}) == MetadataValue{3});
  CHECK(*metadata.find(gossip::MetadataKey{"b"}) == MetadataValue{2});
}

TEST_CASE("Metadata: get_if looks for a key and a kind at once", "[metadata]") {
  Metadata metadata;
  metadata.set("tenant", "acme");
  metadata.set("retries", 3);
  REQUIRE(metadata.get_if<std::string>("tenant") != nullptr);
  CHECK(*metadata.get_if<std::string>("tenant") == "acme");
  CHECK(*metadata.get_if<std::int64_t>(gossip::MetadataKey{"retries"}) == 3);
  CHECK(metadata.get_if<std::string>("retries") == nullptr);
  CHECK(metadata.get_if<std::string>("absent") == nullptr);
  CHECK(metadata.get_if<bool>(gossip::MetadataKey{"tenant"}) == nullptr);
}

TEST_CASE("Metadata: what has been moved from is empty and can be used again", "[metadata]") {
  const gossip::MetadataKey first{"k"};
  const gossip::MetadataKey second{"l"};
  Metadata source;
  source.set("k", 1);
  source.set("l", 2);
  const bool assigned = GENERATE(false, true);
  Metadata target;
  if (assigned) {
    target = std::move(source);
  } else {
    target = Metadata{std::move(source)};
  }
  CHECK(target.size() == 2);
  CHECK(*target.find(first) == MetadataValue{1});
  CHECK(*target.find(second) == MetadataValue{2});
  // NOLINTBEGIN(bugprone-use-after-move): that is what it is about
  CHECK(source.empty());
  CHECK(source == Metadata{});
  CHECK_FALSE(source.contains(first));

  source.set("m", 3);
  Metadata fresh;
  fresh.set("m", 3);
  CHECK(source == fresh);
  CHECK_FALSE(source.contains(second));
  // NOLINTEND(bugprone-use-after-move)
}

TEST_CASE("Metadata: keys that share their tag are told apart", "[metadata]") {
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
      const gossip::MetadataKey key{name};
      REQUIRE(metadata.find(key) == metadata.find(name));
    }
  }
}

TEST_CASE("Metadata: assigned to itself it stays what it is", "[metadata]") {
  Metadata metadata;
  metadata.set("k", 1);
  Metadata& same = metadata;
  metadata = same;
  CHECK(*metadata.find(gossip::MetadataKey{"k"}) == MetadataValue{1});
}

}  // namespace
