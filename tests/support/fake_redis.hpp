// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// FakeRedis: a server on a free loopback port that answers bytes from a script. For what a real
/// server does, see redis_server.hpp.

#include "support/loopback.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace gossip::test {

/// What a server of version 7.0.15 says to HELLO 2.
inline constexpr const char* hello_reply =
    "*14\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n$5\r\nproto\r\n:2\r\n"
    "$2\r\nid\r\n:3\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n"
    "$7\r\nmodules\r\n*0\r\n";

/// Greets the client, and answers each further command of what was read in one go. No argument may have
/// a line that begins with `*`.
/// @param answer  bytes for a command; an empty text closes the connection
inline auto greeting(std::function<std::string(const std::string&)> answer) {
  return [answer = std::move(answer)](const std::string& read) {
    std::string replies;
    for (std::size_t begin = 0; begin < read.size();) {
      const std::size_t last = std::min(read.find("\n*", begin), read.size() - 1);
      const std::string command = read.substr(begin, last + 1 - begin);
      const auto has = [&](const char* word) { return command.find(word) != std::string::npos; };
      const std::string reply = has("HELLO")     ? hello_reply
                                : has("SETNAME") ? "+OK\r\n"
                                                 : answer(command);
      if (reply.empty()) return reply;
      replies += reply;
      begin = last + 1;
    }
    return replies;
  };
}

/// Accepts one connection after the other, and answers whatever was read in one go.
class FakeRedis {
 public:
  /// @param answer  bytes for what arrived; an empty text closes the connection
  explicit FakeRedis(std::function<std::string(const std::string&)> answer)
      : answer_{std::move(answer)}, thread_{[this] { serve(); }} {}
  FakeRedis(const FakeRedis&) = delete;
  FakeRedis& operator=(const FakeRedis&) = delete;
  ~FakeRedis() {
    ending_ = true;
    listener_.end();
    if (const int client = client_.load(); client >= 0) ::shutdown(client, SHUT_RDWR);
    thread_.join();
  }

  [[nodiscard]] std::uint16_t port() const noexcept { return listener_.port(); }
  /// How many connections were accepted so far.
  [[nodiscard]] int connections() const noexcept { return connections_.load(); }

 private:
  void serve() {
    while (!ending_) {
      const int client = ::accept4(listener_.descriptor(), nullptr, nullptr, SOCK_CLOEXEC);
      if (client < 0) return;
      client_ = client;
      ++connections_;
      char buffer[4096];
      for (;;) {
        const auto read = ending_ ? 0 : ::recv(client, buffer, sizeof buffer, 0);
        if (read <= 0) break;
        const std::string reply = answer_(std::string{buffer, static_cast<std::size_t>(read)});
        if (reply.empty()) break;
        if (::send(client, reply.data(), reply.size(), MSG_NOSIGNAL) < 0) break;
      }
      client_ = -1;
      ::close(client);
    }
  }

  std::function<std::string(const std::string&)> answer_;
  LoopbackListener listener_;
  std::atomic<bool> ending_{false};
  std::atomic<int> client_{-1};
  std::atomic<int> connections_{0};
  std::thread thread_;
};

}  // namespace gossip::test
