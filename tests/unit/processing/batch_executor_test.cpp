// SPDX-License-Identifier: MIT
#include <gossip/processing/batch_executor.hpp>

#include "support/batch_host.hpp"

#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <memory>

using gossip::detail::BatchExecutor;
using gossip::detail::BatchHost;
using gossip::detail::BatchTask;
using gossip::test::ManualBatchHost;
using namespace std::chrono_literals;

static_assert(BatchHost<ManualBatchHost> && !BatchHost<int>);

TEST_CASE("BatchTask: keeps its batch alive until the work is done", "[batch]") {
  struct Object {
    BatchTask task;
    bool* destroyed;
    bool worked = false;
    ~Object() { *destroyed = worked; }
  };
  bool destroyed = false;
  {
    auto object = std::make_shared<Object>();
    object->destroyed = &destroyed;
    object->task.work = [](void* self) noexcept { static_cast<Object*>(self)->worked = true; };
    object->task.batch = object;
    BatchTask& task = object->task;
    object.reset();
    CHECK_FALSE(destroyed);
    task.go();
  }
  CHECK(destroyed);
}

TEST_CASE("BatchExecutor: schedule says whether the task will run", "[batch]") {
  ManualBatchHost host;
  const BatchExecutor executor = batch_executor(host);
  int ran = 0;
  CHECK(executor.schedule(host.clock.now() + 1s, [&] { ++ran; }));
  host.clock.advance(1s);
  CHECK(ran == 1);
  host.end();
  CHECK_FALSE(executor.schedule(host.clock.now(), [&] { ++ran; }));
}
