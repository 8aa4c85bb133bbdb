// SPDX-License-Identifier: MIT
#include <gossip/redis/send_window.hpp>

#include <catch2/catch_test_macros.hpp>

using gossip::redis::SendWindow;

TEST_CASE("SendWindow: begins at its largest and is halved with each loss, down to one",
          "[redis]") {
  SendWindow window{512};
  REQUIRE(window.size() == 512);
  window.lost(512);
  REQUIRE(window.size() == 256);
  for (int i = 0; i < 20; ++i) window.lost(window.size());
  REQUIRE(window.size() == 1);
}

TEST_CASE("SendWindow: what was under way counts, not what might have been", "[redis]") {
  SendWindow window{512};
  window.lost(0);
  REQUIRE(window.size() == 512);
  window.lost(10);
  REQUIRE(window.size() == 5);
}

TEST_CASE("SendWindow: answers to all that it allows double it, up to its largest", "[redis]") {
  SendWindow window{100};
  for (int i = 0; i < 7; ++i) window.lost(window.size());
  REQUIRE(window.size() == 1);
  for (const std::size_t size : {2U, 4U, 8U, 16U, 32U, 64U, 100U, 100U}) {
    window.answered(window.size());
    REQUIRE(window.size() == size);
  }
}
