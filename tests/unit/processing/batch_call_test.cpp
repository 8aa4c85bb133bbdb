// SPDX-License-Identifier: MIT
#include <gossip/processing/batch_call.hpp>

#include <catch2/catch_test_macros.hpp>

#include <memory>
#include <span>
#include <stdexcept>
#include <stop_token>

using gossip::BatchOptions;
using gossip::BatchStatistics;
using gossip::Context;
using gossip::Errc;
using gossip::Event;
using gossip::Status;
using gossip::detail::BatchCall;
using gossip::detail::BatchFrame;
using gossip::detail::bury_batch;
using gossip::detail::call_batch;

namespace {

const int batch = 0;
const int other = 0;

Status invoke(void* object, std::span<const Event<int>>, Context& context) {
  auto& calls = *static_cast<int*>(object);
  ++calls;
  CHECK(BatchFrame::of(&batch));
  CHECK_FALSE(BatchFrame::of(&other));
  if (context.attempt() == 2) throw std::runtime_error{"broken"};
  return context.attempt() == 3 ? Status{Errc::fatal} : Status{};
}

}  // namespace

TEST_CASE("call_batch: reports what the processor returns and what it throws", "[batch]") {
  const auto calls = std::make_shared<int>(0);
  const BatchCall<int> call{calls, &invoke};
  const std::stop_token stop;
  CHECK(call_batch<int>(&batch, call, {}, stop, 1).ok());
  CHECK(is_processing(call_batch<int>(&batch, call, {}, stop, 2)));
  CHECK(is_fatal(call_batch<int>(&batch, call, {}, stop, 3)));
  CHECK(*calls == 3);
  CHECK_FALSE(BatchFrame::any());
}

TEST_CASE("bury_batch: says where the events are to be counted", "[batch]") {
  BatchOptions<int> options;
  const Status why = Errc::fatal;
  CHECK(bury_batch<int>(&batch, options, {}, why) == &BatchStatistics::discarded);
  Status told;
  options.dead_letter = [&](std::span<const Event<int>>, const Status& status) {
    CHECK(BatchFrame::of(&batch));
    told = status;
  };
  CHECK(bury_batch<int>(&batch, options, {}, why) == &BatchStatistics::dead_lettered);
  CHECK(is_fatal(told));
  options.dead_letter = [](std::span<const Event<int>>, const Status&) { throw 1; };
  CHECK(bury_batch<int>(&batch, options, {}, why) == &BatchStatistics::dead_letter_failed);
}

TEST_CASE("BatchFrame: knows all calls that this thread is in", "[batch]") {
  CHECK_FALSE(BatchFrame::any());
  {
    const BatchFrame outer{&batch};
    const BatchFrame inner{&other};
    CHECK(BatchFrame::any());
    CHECK(BatchFrame::of(&batch));
    CHECK(BatchFrame::of(&other));
  }
  CHECK_FALSE(BatchFrame::of(&batch));
}
