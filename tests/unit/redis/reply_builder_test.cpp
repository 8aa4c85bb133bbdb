// SPDX-License-Identifier: MIT
#include <gossip/redis/reply_builder.hpp>

#include <catch2/catch_test_macros.hpp>

#include <cstddef>
#include <memory>
#include <string>

using gossip::redis::Reply;
using gossip::redis::ReplyBuilder;

namespace {

/// What hiredis makes of some bytes.
struct Parsed {
  explicit Parsed(std::size_t most = 100'000) {
    building.most = most;
    reader->privdata = &building;
  }
  /// @return the reply; null if the bytes are refused
  const Reply* operator()(const std::string& bytes) {
    redisReaderFeed(reader.get(), bytes.data(), bytes.size());
    void* reply = nullptr;
    return redisReaderGetReply(reader.get(), &reply) == REDIS_OK ? static_cast<Reply*>(reply)
                                                                 : nullptr;
  }

  ReplyBuilder::Building building;
  redisReplyObjectFunctions functions = ReplyBuilder::functions();
  std::unique_ptr<redisReader, void (*)(redisReader*)> reader{
      redisReaderCreateWithFunctions(&functions), &redisReaderFree};
};

}  // namespace

TEST_CASE("ReplyBuilder: the outermost reply is used again, and nothing of the last one stays",
          "[redis]") {
  Parsed parse;
  const Reply* first = parse("*2\r\n:1\r\n+a\r\n");
  REQUIRE(first != nullptr);
  REQUIRE(*first == Reply::of_array({Reply::of_integer(1), Reply::of_status("a")}));
  const Reply* second = parse("$1\r\nb\r\n");
  REQUIRE(second == first);
  REQUIRE(*second == Reply::of_text("b"));
  REQUIRE(*parse(":7\r\n") == Reply::of_integer(7));
  REQUIRE(*parse("$-1\r\n") == Reply::of_nil());
}

TEST_CASE("ReplyBuilder: what a reply takes is counted, and its limit holds exactly", "[redis]") {
  const std::size_t exactly = 2 * sizeof(Reply) + 10;
  Parsed enough{exactly};
  REQUIRE(enough("*1\r\n$10\r\n0123456789\r\n") != nullptr);
  REQUIRE(enough("*1\r\n$10\r\n0123456789\r\n") != nullptr);  // each reply for itself
  Parsed too_few{exactly - 1};
  REQUIRE(too_few("*1\r\n$10\r\n0123456789\r\n") == nullptr);
  REQUIRE(too_few.building.too_large);
}
