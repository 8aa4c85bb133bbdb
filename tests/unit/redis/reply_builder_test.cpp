// SPDX-License-Identifier: MIT
#include <gossip/redis/reply_builder.hpp>

#include <catch2/catch_test_macros.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

using gossip::redis::Reply;
using gossip::redis::ReplyBuilder;

namespace {

/// What hiredis makes of some bytes.
struct Parsed {
  explicit Parsed(std::size_t most = 100'000, std::size_t of_entry = 100'000) {
    building.limits = {most, of_entry};
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

TEST_CASE("ReplyBuilder: a small reply gives back what a large one took", "[redis]") {
  Parsed parse;
  REQUIRE(parse("$50000\r\n" + std::string(50'000, 'x') + "\r\n") != nullptr);
  REQUIRE(parse("$1\r\nb\r\n")->text.capacity() < 50'000);
  std::string many{"*500\r\n"};
  for (int i = 0; i < 500; ++i) many += ":1\r\n";
  REQUIRE(parse(many) != nullptr);
  REQUIRE(parse(":7\r\n")->items.capacity() < 500);
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

TEST_CASE("ReplyBuilder: an array within an array is truncated where it is too large", "[redis]") {
  Parsed parse{100'000, 3 * sizeof(Reply) + 6};
  const auto fields = [](const std::string& text) {
    return "*3\r\n+aa\r\n+" + text + "\r\n:1\r\n";
  };
  // Each for itself, and what stands around them does not count.
  const Reply* reply = parse("*5\r\n" + fields("bbbb") + fields("bbbbb") + "+and\r\n" +
                             fields(std::string(100, 'b')) + fields("bbbb"));
  REQUIRE(reply != nullptr);
  REQUIRE(reply->items.size() == 5);
  const Reply whole =
      Reply::of_array({Reply::of_status("aa"), Reply::of_status("bbbb"), Reply::of_integer(1)});
  REQUIRE(reply->items[0] == whole);
  REQUIRE(reply->items[1].truncated);
  REQUIRE(reply->items[1].items.size() == 2);
  REQUIRE(reply->items[2] == Reply::of_status("and"));
  REQUIRE(reply->items[3].truncated);
  REQUIRE(reply->items[3].items == std::vector<Reply>{Reply::of_status("aa")});
  REQUIRE(reply->items[4] == whole);
  REQUIRE_FALSE(reply->truncated);
  // The first array of the next reply stands where that of the last one stood.
  Parsed again{100'000, 3 * sizeof(Reply) + 6};
  for (int i = 0; i < 2; ++i) {
    const Reply* single = again("*1\r\n" + fields("bbbb"));
    REQUIRE(single != nullptr);
    REQUIRE(single->items.at(0) == whole);
  }
}

TEST_CASE("ReplyBuilder: arrays in what is truncated are left out, however deep", "[redis]") {
  Parsed parse{100'000, 2 * sizeof(Reply)};
  const Reply* reply = parse("*2\r\n*4\r\n$3\r\nabc\r\n$500\r\n" + std::string(500, 'x') +
                             "\r\n*2\r\n*1\r\n$1\r\na\r\n:2\r\n$-1\r\n*1\r\n$1\r\nb\r\n");
  REQUIRE(reply != nullptr);
  REQUIRE(reply->items.size() == 2);
  REQUIRE(reply->items[0].truncated);
  REQUIRE(reply->items[0].items == std::vector<Reply>{Reply::of_text("abc")});
  REQUIRE(reply->items[1] == Reply::of_array({Reply::of_text("b")}));
}

TEST_CASE("ReplyBuilder: a text that was skipped truncates its array", "[redis]") {
  Parsed parse;
  parse.building.skipped = true;
  const Reply* reply = parse("*2\r\n*2\r\n$-1\r\n:1\r\n*2\r\n$-1\r\n:1\r\n");
  REQUIRE(reply != nullptr);
  REQUIRE(reply->items[0].truncated);
  REQUIRE(reply->items[0].items.empty());
  REQUIRE(reply->items[1] == Reply::of_array({Reply::of_nil(), Reply::of_integer(1)}));
}

TEST_CASE("ReplyBuilder: a long array is refused where it is the outermost", "[redis]") {
  Parsed parse;
  REQUIRE(parse("*1048577\r\n") == nullptr);
  REQUIRE(parse.building.too_large);
  Parsed within{100'000, 1000};
  std::string bytes = "*1\r\n*2000000\r\n";
  for (int i = 0; i < 2'000'000; ++i) bytes += ":1\r\n";
  const Reply* reply = within(bytes);
  REQUIRE(reply != nullptr);
  REQUIRE(reply->items.at(0).truncated);
}

TEST_CASE("ReplyBuilder: a single text has a limit of its own", "[redis]") {
  Parsed parse{100'000, 1000};
  REQUIRE(parse("*1\r\n$1000\r\n" + std::string(1000, 'x') + "\r\n") != nullptr);
  REQUIRE(parse("*1\r\n$1001\r\n" + std::string(1001, 'x') + "\r\n") == nullptr);
  REQUIRE(parse.building.too_large);
}
