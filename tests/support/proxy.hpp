// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Proxy: stands between a client and a server on loopback, and spoils what passes.

#include "support/loopback.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <poll.h>
#include <random>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace gossip::test {

/// Forwards bytes from one thread, for any number of connections.
class Proxy {
 public:
  /// @param server  port of the server on 127.0.0.1
  explicit Proxy(std::uint16_t server) : server_{server}, thread_{[this] { serve(); }} {}
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;
  ~Proxy() {
    ending_ = true;
    poke();
    thread_.join();
    ::close(wake_);
  }

  [[nodiscard]] std::uint16_t port() const noexcept { return listener_.port(); }
  /// How many connections were accepted, and how many of them were cut.
  [[nodiscard]] int connections() const noexcept { return connections_.load(); }
  [[nodiscard]] int cuts() const noexcept { return cuts_.load(); }

  /// From now on each connection ends after a random number of bytes, counted in both directions.
  /// 0: none of the new ones does.
  void cut_after(std::size_t least, std::size_t most) {
    const std::lock_guard lock{mutex_};
    least_ = least;
    most_ = most;
  }
  /// Ends every connection that there is.
  void cut_all() {
    cut_all_ = true;
    poke();
  }
  /// Keeps connections open and passes nothing on, until told otherwise.
  void stall(bool on) {
    stalled_ = on;
    poke();
  }
  /// Spoils one byte of what the server says next.
  void corrupt() { corrupt_ = true; }

 private:
  struct Pair {
    int client;
    int server;
    std::size_t left;  ///< bytes until the cut; 0: none
  };

  void poke() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake_, &one, sizeof one);
  }

  void serve() {
    std::list<Pair> pairs;
    while (!ending_) {
      std::vector<pollfd> sockets{{wake_, POLLIN, 0}, {listener_.descriptor(), POLLIN, 0}};
      for (const Pair& pair : pairs) {
        const short interest = stalled_ ? short{0} : short{POLLIN};
        sockets.push_back({stalled_ ? -1 : pair.client, interest, 0});
        sockets.push_back({stalled_ ? -1 : pair.server, interest, 0});
      }
      ::poll(sockets.data(), sockets.size(), -1);
      std::uint64_t count = 0;
      if (sockets[0].revents != 0) {
        [[maybe_unused]] const auto taken = ::read(wake_, &count, sizeof count);
      }
      std::size_t at = 2;
      const bool all = cut_all_.exchange(false);
      for (auto pair = pairs.begin(); pair != pairs.end(); at += 2) {
        const bool goes_on = !all && (sockets[at].revents == 0 || pass(*pair, pair->client)) &&
                             (sockets[at + 1].revents == 0 || pass(*pair, pair->server));
        if (goes_on) {
          ++pair;
        } else {
          ::close(pair->client);
          ::close(pair->server);
          pair = pairs.erase(pair);
        }
      }
      if (sockets[1].revents != 0) accept(pairs);
    }
    for (const Pair& pair : pairs) {
      ::close(pair.client);
      ::close(pair.server);
    }
  }

  void accept(std::list<Pair>& pairs) {
    const int client = ::accept4(listener_.descriptor(), nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return;
    ++connections_;
    const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(server_);
    if (::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      ::close(server);
      ::close(client);
      return;
    }
    const std::lock_guard lock{mutex_};
    std::size_t left = 0;
    if (most_ != 0) left = std::uniform_int_distribution<std::size_t>{least_, most_}(random_);
    pairs.push_back({client, server, left});
  }

  /// @return false if the connection ends here
  bool pass(Pair& pair, int from) {
    char buffer[16384];
    const auto got = ::recv(from, buffer, sizeof buffer, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return true;
    if (got <= 0) return false;
    auto size = static_cast<std::size_t>(got);
    const bool last = pair.left != 0 && size >= pair.left;
    if (last) size = pair.left;
    if (pair.left != 0) pair.left -= size;
    if (from == pair.server && corrupt_.exchange(false)) buffer[0] = '\x01';
    const int to = from == pair.client ? pair.server : pair.client;
    for (std::size_t sent = 0; sent < size;) {
      const auto more = ::send(to, buffer + sent, size - sent, MSG_NOSIGNAL);
      if (more <= 0) return false;
      sent += static_cast<std::size_t>(more);
    }
    if (last) ++cuts_;
    return !last;
  }

  const std::uint16_t server_;
  LoopbackListener listener_;
  const int wake_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  std::atomic<bool> ending_{false};
  std::atomic<bool> cut_all_{false};
  std::atomic<bool> stalled_{false};
  std::atomic<bool> corrupt_{false};
  std::atomic<int> connections_{0};
  std::atomic<int> cuts_{0};
  std::mutex mutex_;
  std::size_t least_ = 0;
  std::size_t most_ = 0;
  std::mt19937_64 random_{7};
  std::thread thread_;
};

}  // namespace gossip::test
