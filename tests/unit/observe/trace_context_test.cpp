// SPDX-License-Identifier: MIT
#include <gossip/observe/trace_context.hpp>

#include <catch2/catch_test_macros.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace {

using gossip::is_tracestate;
using gossip::Metadata;
using gossip::parse_trace_context;
using gossip::set_trace_context;
using gossip::to_traceparent;
using gossip::trace_context_of;
using gossip::TraceContext;
using gossip::tracestate_member;
using gossip::with_tracestate_member;

constexpr std::string_view example = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST_CASE("parse_trace_context: reads the recommendation's example, and writes it back",
          "[trace]") {
  const auto context = parse_trace_context(example, "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE");
  REQUIRE(context);
  CHECK(context->trace_id[0] == 0x4b);
  CHECK(context->trace_id[15] == 0x36);
  CHECK(context->span_id[1] == 0xf0);
  CHECK(context->span_id[7] == 0xb7);
  CHECK(context->flags == 1);
  CHECK(context->sampled());
  CHECK(context->valid());
  CHECK(context->state == "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE");
  CHECK(to_traceparent(*context) == example);
}

TEST_CASE("parse_trace_context: refuses whatever is not one", "[trace]") {
  const auto with = [](std::size_t at, std::string_view other) {
    return std::string{example}.replace(at, other.size(), other);
  };
  CHECK(parse_trace_context(with(0, "00")));
  CHECK_FALSE(parse_trace_context(""));
  CHECK_FALSE(parse_trace_context("00"));
  for (std::size_t size = 0; size < example.size(); ++size) {
    CHECK_FALSE(parse_trace_context(example.substr(0, size)));
  }
  SECTION("all zero ids") {
    CHECK_FALSE(parse_trace_context(with(3, "00000000000000000000000000000000")));
    CHECK_FALSE(parse_trace_context(with(36, "0000000000000000")));
  }
  SECTION("upper case, and other characters, anywhere") {
    for (std::size_t at = 0; at < example.size(); ++at) {
      const bool dash = example[at] == '-';
      for (const char* c : {"A", "F", "g", " ", "\n", "/", ":", "`", "_"}) {
        INFO(at << ' ' << c);
        CHECK_FALSE(parse_trace_context(with(at, c)));
      }
      if (dash) CHECK_FALSE(parse_trace_context(with(at, "0")));
      if (!dash) CHECK_FALSE(parse_trace_context(with(at, "-")));
    }
  }
  SECTION("versions") {
    CHECK_FALSE(parse_trace_context(with(0, "ff")));
    CHECK_FALSE(parse_trace_context(std::string{example} + "-"));
    CHECK_FALSE(parse_trace_context(std::string{example} + "-what"));
    CHECK(parse_trace_context(with(0, "cc")));
    CHECK(parse_trace_context(with(0, "cc") + "-what-the-future-brings"));
    CHECK(parse_trace_context(with(0, "fe") + "-"));
    CHECK_FALSE(parse_trace_context(with(0, "cc") + ".what"));
    CHECK_FALSE(parse_trace_context(with(0, "cc") + "0"));
    CHECK(to_traceparent(*parse_trace_context(with(0, "cc") + "-x")) == example);
  }
}

TEST_CASE("parse_trace_context: flags that are not known are not passed on", "[trace]") {
  const auto flags = [](std::string_view digits) {
    return parse_trace_context(std::string{example}.replace(53, 2, digits));
  };
  CHECK_FALSE(flags("00")->sampled());
  CHECK(flags("03")->flags == 3);
  CHECK_FALSE(flags("02")->sampled());
  CHECK(flags("ff")->flags == 3);
  CHECK(to_traceparent(*flags("fd")) == example);
  TraceContext made = *flags("00");
  made.flags = 0xff;
  CHECK(to_traceparent(made).substr(53) == "03");
}

TEST_CASE("is_tracestate: as the recommendation's grammar has it", "[trace]") {
  STATIC_REQUIRE(is_tracestate("a=1"));
  const std::string key241(241, 'k');
  const std::string long256(256, 'k');
  for (const std::string& state :
       {std::string{}, std::string{"a=1,b=2"}, std::string{"a=1 , \t b=2"},
        std::string{"a=1,,b=2,"}, std::string{"a_-*/0=!~ x"}, std::string{"0t@v=1"},
        std::string{"fw529a3039@dt=FfIyNT"}, std::string{"  "}, key241 + "@vendor00000000=1",
        long256 + "=1", "a=" + long256}) {
    INFO(state);
    CHECK(is_tracestate(state));
  }
  for (const std::string& state : {std::string{"a"},       std::string{"=1"},
                                   std::string{"a="},      std::string{"a=1=2"},
                                   std::string{"A=1"},     std::string{"0a=1"},
                                   std::string{"a=1,a=2"}, std::string{"a b=1"},
                                   std::string{"@v=1"},    std::string{"t@=1"},
                                   std::string{"t@0v=1"},  std::string{"t@v@w=1"},
                                   std::string{"a=\x7f"},  std::string{"a=\xc3\xa4"},
                                   std::string{"a=1\n"},   std::string{"a= "},
                                   "k" + key241 + "@v=1",  key241 + "@vendor000000000=1",
                                   "k" + long256 + "=1",   "a=k" + long256}) {
    INFO(state);
    CHECK_FALSE(is_tracestate(state));
  }
  std::string members = "k0=1";
  for (int i = 1; i < 32; ++i) members += ",k" + std::to_string(i) + "=1";
  CHECK(is_tracestate(members));
  CHECK_FALSE(is_tracestate(members + ",k32=1"));
  CHECK(parse_trace_context(example, "wrong")->state.empty());
}

TEST_CASE("tracestate: a member is read, and set in front", "[trace]") {
  CHECK(tracestate_member("a=1, b=2", "b") == "2");
  CHECK(tracestate_member("a=1", "b").empty());
  CHECK(tracestate_member("", "b").empty());
  CHECK(*with_tracestate_member("", "v", "x") == "v=x");
  CHECK(*with_tracestate_member("a=1 ,,b=2", "v", "x") == "v=x,a=1,b=2");
  CHECK(*with_tracestate_member("a=1,v=old,b=2", "v", "x") == "v=x,a=1,b=2");
  CHECK_FALSE(with_tracestate_member("", "V", "x"));
  CHECK_FALSE(with_tracestate_member("", "v", "a,b"));
  CHECK_FALSE(with_tracestate_member("", "v", ""));
  std::string members = "k0=1";
  for (int i = 1; i < 32; ++i) members += ",k" + std::to_string(i) + "=1";
  const auto changed = with_tracestate_member(members, "v", "x");
  CHECK(is_tracestate(*changed));
  CHECK(tracestate_member(*changed, "k30") == "1");
  CHECK(tracestate_member(*changed, "k31").empty());
}

TEST_CASE("trace_context_of: what metadata carries, and what it does not", "[trace]") {
  Metadata metadata;
  CHECK_FALSE(trace_context_of(metadata));
  metadata.set("traceparent", 7);
  CHECK_FALSE(trace_context_of(metadata));
  TraceContext context = *parse_trace_context(example, "a=1");
  set_trace_context(metadata, context);
  CHECK(trace_context_of(metadata) == context);
  context.state.clear();
  set_trace_context(metadata, context);
  CHECK(trace_context_of(metadata) == context);
  Metadata bare;
  set_trace_context(bare, context);
  CHECK(bare.size() == 1);
  CHECK_FALSE(TraceContext{}.valid());
}

}  // namespace
