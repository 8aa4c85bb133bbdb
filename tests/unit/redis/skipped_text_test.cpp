// SPDX-License-Identifier: MIT
#include <gossip/redis/reply.hpp>
#include <gossip/redis/reply_builder.hpp>
#include <gossip/redis/skipped_text.hpp>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

using gossip::redis::Reply;
using gossip::redis::ReplyBuilder;
using gossip::redis::SkippedText;

namespace {

constexpr std::size_t most = 10;  // bytes of a text

/// hiredis, as a connection uses it.
struct Reading {
  /// Lets so many bytes at a time arrive.
  void operator()(std::string_view bytes, std::size_t at_a_time) {
    for (; !bytes.empty(); bytes.remove_prefix(std::min(at_a_time, bytes.size()))) {
      const std::string_view part = bytes.substr(0, at_a_time);
      redisReaderFeed(reader.get(), part.data(), part.size());
      while (good && skipped.pass(*reader, at_its_end)) {
        void* object = nullptr;
        good = redisReaderGetReply(reader.get(), &object) == REDIS_OK;
        kept = std::max(kept, reader->len);
        if (!good) return;
        if (object != nullptr) {
          replies.push_back(*static_cast<Reply*>(object));
        } else if (SkippedText::awaited(*reader) > most) {
          depth = SkippedText::depth(*reader);
          skipped.begin(*reader);
        } else {
          break;
        }
      }
      if (at_its_end) ++ends;
      at_its_end = false;
    }
  }

  ReplyBuilder::Building building;
  redisReplyObjectFunctions functions = ReplyBuilder::functions();
  std::unique_ptr<redisReader, void (*)(redisReader*)> reader = [this] {
    auto* made = redisReaderCreateWithFunctions(&functions);
    building.limits = {100'000, 100'000};
    made->privdata = &building;
    return std::unique_ptr<redisReader, void (*)(redisReader*)>{made, &redisReaderFree};
  }();
  SkippedText skipped;
  std::vector<Reply> replies;
  std::size_t kept = 0;  ///< in hiredis' buffer, at most // bytes
  int depth = -1;
  int ends = 0;
  bool good = true;
  bool at_its_end = false;
};

std::string bulk(const std::string& text) {
  return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}

}  // namespace

TEST_CASE("SkippedText: a text that is too large is a nil, however its bytes arrive", "[redis]") {
  const std::size_t size = GENERATE(11U, 12U, 13U, 14U, 50U, 1000U);
  // What looks like other replies.
  const std::string filling = GENERATE("x", "\r\n", "$1\r\n", "\n\r");
  std::string large;
  while (large.size() < size) large += filling;
  large.resize(size);
  const std::string bytes = "*3\r\n" + bulk("a") + bulk(large) + bulk("b") + ":7\r\n";
  for (std::size_t at_a_time = 1; at_a_time <= 20; ++at_a_time) {
    CAPTURE(size, filling, at_a_time);
    Reading read;
    read(bytes, at_a_time);
    REQUIRE(read.good);
    REQUIRE(read.replies.size() == 2);
    const Reply& first = read.replies[0];
    REQUIRE(first.items.size() == 3);
    REQUIRE(first.items[0] == Reply::of_text("a"));
    // The whole of a small one may be there before anybody looks.
    const bool skipped = first.items[1].is_nil();
    REQUIRE((skipped || first.items[1].text == large));
    REQUIRE((skipped || size < 20));
    REQUIRE(read.ends == (skipped ? 1 : 0));
    REQUIRE(first.items[2] == Reply::of_text("b"));
    REQUIRE(read.replies[1] == Reply::of_integer(7));
  }
}

TEST_CASE("SkippedText: what is passed over takes no memory", "[redis]") {
  Reading read;
  read("*1\r\n" + bulk(std::string(10'000'000, 'x')), 16'384);
  REQUIRE(read.replies.size() == 1);
  REQUIRE(read.depth == 1);
  REQUIRE(read.kept < 2 * 16'384);
}

TEST_CASE("SkippedText: a text that does not end where it should is malformed", "[redis]") {
  const std::size_t at_a_time = GENERATE(1U, 7U, 1000U);
  for (const char* end : {"x\n", "\rx", "xx"}) {
    Reading read;
    read("*2\r\n$2000\r\n" + std::string(2000, 'x') + end + ":1\r\n:2\r\n", at_a_time);
    REQUIRE_FALSE(read.good);
    REQUIRE(read.replies.empty());
    REQUIRE(read.ends == 0);
  }
}

TEST_CASE("SkippedText: only a text's size is awaited, and only once it is known", "[redis]") {
  const auto awaited = [](const char* bytes) {
    Reading read;
    read(bytes, 1000);
    return SkippedText::awaited(*read.reader);
  };
  REQUIRE(awaited("$7\r\nabc") == 7);
  REQUIRE(awaited("*2\r\n$9\r\n") == 9);
  REQUIRE(awaited("$7") == 0);
  REQUIRE(awaited("$7\r") == 0);
  REQUIRE(awaited("$") == 0);
  REQUIRE(awaited("+7\r") == 0);
  REQUIRE(awaited("*7\r\n") == 0);
  REQUIRE(awaited("") == 0);
}

TEST_CASE("SkippedText: after a reset nothing is passed over", "[redis]") {
  Reading read;
  read("$1000\r\nabc", 100);
  Reading other;
  other.skipped = read.skipped;
  other.skipped.reset();
  other("+OK\r\n", 100);
  REQUIRE(other.replies.size() == 1);
}
