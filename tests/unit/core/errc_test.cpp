// SPDX-License-Identifier: MIT
#include <gossip/core/errc.hpp>

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <set>
#include <string>
#include <system_error>
#include <type_traits>

namespace {

using gossip::Errc;

constexpr std::array all{Errc::retryable,
                         Errc::validation_failed,
                         Errc::processing_failed,
                         Errc::timeout,
                         Errc::fatal,
                         Errc::type_assertion_failed,
                         Errc::nil_data,
                         Errc::invalid_event,
                         Errc::unsupported_event_type,
                         Errc::queue_full,
                         Errc::closed,
                         Errc::cancelled};

static_assert(std::is_error_code_enum_v<Errc>);

TEST_CASE("Errc: every kind is an error code of the category gossip with a text of its own",
          "[errc]") {
  std::set<std::string> texts;
  for (const Errc code : all) {
    const std::error_code error = code;
    CHECK(error);
    CHECK(error == code);
    CHECK(error.category() == gossip::errc_category());
    CHECK(error.message() == gossip::to_string(code));
    texts.insert(error.message());
  }
  CHECK(texts.size() == all.size());
  CHECK(std::string{gossip::errc_category().name()} == "gossip");
  CHECK(std::string{gossip::to_string(Errc::queue_full)} == "queue full");
}

TEST_CASE("Errc: kinds that the standard library knows equal its conditions", "[errc]") {
  CHECK(std::error_code{Errc::timeout} == std::errc::timed_out);
  CHECK(std::error_code{Errc::cancelled} == std::errc::operation_canceled);
  CHECK(std::error_code{Errc::queue_full} == std::errc::no_buffer_space);
  CHECK(std::error_code{Errc::closed} != std::errc::operation_canceled);
  CHECK(std::error_code{Errc::fatal}.default_error_condition().category() ==
        gossip::errc_category());
}

TEST_CASE("Errc: zero is success, as everywhere", "[errc]") {
  CHECK_FALSE(gossip::make_error_code(Errc{}));
}

TEST_CASE("Errc: a number that is no kind has a text and maps to itself", "[errc]") {
  for (const int number : {-1, 0, 13, 12345}) {
    const std::error_code error = gossip::make_error_code(static_cast<Errc>(number));
    CHECK(error.value() == number);
    CHECK(error.message() == "unknown gossip error");
    CHECK(error.default_error_condition().value() == number);
  }
}

TEST_CASE("Errc: a system_error can carry it", "[errc]") {
  const std::system_error error{Errc::closed, "publish"};
  CHECK(error.code() == Errc::closed);
  CHECK(std::string{error.what()}.find("bus closed") != std::string::npos);
}

}  // namespace
