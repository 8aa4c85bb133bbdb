// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// Connection: bytes to and from one Redis server. Nothing above it knows hiredis. Layer: redis.

#include <gossip/core/error.hpp>
#include <gossip/core/status.hpp>
#include <gossip/redis/lent_socket.hpp>
#include <gossip/redis/options.hpp>
#include <gossip/redis/reply.hpp>
#include <gossip/redis/reply_builder.hpp>
#include <gossip/redis/reply_limits.hpp>
#include <gossip/redis/skipped_text.hpp>
#include <gossip/redis/tls_session.hpp>
#include <gossip/redis/traffic.hpp>

#include <hiredis/hiredis.h>
#include <hiredis/hiredis_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <new>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <utility>

namespace gossip::redis {

/// A connection that never blocks but while a name is resolved. Opened by open(), then driven by
/// advance() whenever descriptor() is ready for what interest() says. Without TLS, somebody else may
/// wait for what arrives, and take() it.
///
/// Thread safety: none: it belongs to one thread.
class Connection {
 public:
  Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { close(); }

  /// Begins to connect.
  /// @return  why that is impossible
  Status open(const RedisOptions& options) {
    close();
    redisOptions settings{};
    settings.options |= REDIS_OPT_NONBLOCK;
    if (options.unix_socket.empty()) {
      REDIS_OPTIONS_SET_TCP(&settings, options.host.c_str(), options.port);
    } else {
      REDIS_OPTIONS_SET_UNIX(&settings, options.unix_socket.c_str());
    }
    connecting_ = "connecting to " + address_of(options);
    context_ = redisConnectWithOptions(&settings);
    if (context_ == nullptr) return RetryableError{"redis: no memory for a connection"};
    if (context_->err != 0) return failure(connecting_);
    // A process that is started meanwhile would keep the connection open beyond our end.
    static_cast<void>(::fcntl(context_->fd, F_SETFD, FD_CLOEXEC));
    reader_functions_ = ReplyBuilder::functions();
    context_->reader->fn = &reader_functions_;
    context_->reader->privdata = &building_;
    context_->reader->maxelements = 0;  // the builder looks after that
    building_.limits = ReplyLimits::of(options);
    skipped_.reset();
    tls_ = options.tls;
    if (tls_.server_name.empty()) tls_.server_name = options.host;
    stage_ = Stage::connecting;
    return {};
  }

  /// Gives the socket up, without a word to the server. Idempotent.
  void close() noexcept {
    if (context_ != nullptr) redisFree(std::exchange(context_, nullptr));  // and its TLS session
    ssl_ = nullptr;
    read_awaits_ = POLLIN;
    write_awaits_ = POLLOUT;
    clear_output();
    stage_ = Stage::none;
  }

  /// True from open() to close().
  [[nodiscard]] bool is_open() const noexcept { return context_ != nullptr; }
  /// True once commands may be sent.
  [[nodiscard]] bool established() const noexcept { return stage_ == Stage::established; }
  /// For poll(); -1 while not open.
  [[nodiscard]] int descriptor() const noexcept { return context_ != nullptr ? context_->fd : -1; }
  /// What poll() is to look for; 0 while not open.
  [[nodiscard]] short interest() const noexcept {
    if (context_ == nullptr) return 0;
    if (stage_ == Stage::connecting) return POLLIN | POLLOUT;
    if (stage_ == Stage::securing) return SSL_want_write(ssl_) != 0 ? POLLOUT : POLLIN;
    return static_cast<short>(read_awaits_ | (unsent() != 0 ? write_awaits_ : 0));
  }

  /// A buffer for what is to be written that has grown larger is not kept. // bytes
  static constexpr std::size_t most_kept = std::size_t{1} << 18U;
  /// How long a recv() waits that is told to: once established, without TLS.
  static constexpr std::chrono::milliseconds receive_limit{100};

  /// For the thread that writes by TLS to a socket whose other end may be gone.
  static void ignore_broken_pipes() noexcept {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  }
  /// True if TLS protects it. Writing may raise SIGPIPE then.
  [[nodiscard]] bool secured() const noexcept { return tls_.enabled; }

  /// Appends to what is to be written. @return false if memory ran out
  bool send(std::string_view wire) noexcept {
    try {
      if (written_ > out_.size() / 2) {  // it may never be all of it
        out_.erase(0, written_);
        written_ = 0;
      }
      out_ += wire;
      return true;
    } catch (const std::bad_alloc&) {
      return false;
    }
  }
  /// What has not been written yet. // bytes
  [[nodiscard]] std::size_t unsent() const noexcept { return out_.size() - written_; }

  /// Goes on with connecting, writing and reading, as far as that is possible without waiting.
  /// @param events  what poll() said; 0 to write at once
  /// @return        why the connection is of no more use
  Status advance(short events) {
    if (stage_ == Stage::connecting) {
      if ((events & (POLLOUT | POLLERR | POLLHUP)) == 0) return {};
      if (Status status = finish_connecting(); !status.ok()) return status;
    }
    if (stage_ == Stage::securing && (events & (POLLIN | POLLOUT | POLLERR | POLLHUP)) != 0) {
      if (Status status = shake_hands(); !status.ok() || stage_ == Stage::securing) return status;
    }
    if (stage_ != Stage::established) return {};
    if (write_awaits_ == POLLOUT) {
      if (Status status = write(); !status.ok()) return status;
    }
    const int awaited = read_awaits_ | (write_awaits_ & POLLIN) | POLLERR | POLLHUP;
    if ((events & awaited) == 0) return {};
    return tls_.enabled ? read_secured() : read();
  }

  /// Takes what somebody has read from the socket. @return why the connection is of no more use
  Status take(const LentSocket::Read& read) {
    if (read.is_nothing()) return {};
    if (read.error != 0) return failure("reading", read.error);
    if (read.bytes.empty()) {
      return RetryableError{"redis: reading: the server closed the connection"};
    }
    if (redisReaderFeed(context_->reader, read.bytes.data(), read.bytes.size()) != REDIS_OK) {
      return RetryableError{"redis: no memory for a reply"};
    }
    heard_ = true;
    traffic_.received(read.bytes.size());
    return {};
  }

  /// It may be used from now on; is counted.
  void introduced() noexcept { traffic_.connected(); }
  /// Of all connections that it has been. @par Thread safety any thread
  [[nodiscard]] TrafficStatistics traffic() const noexcept { return traffic_.statistics(); }
  /// Whether anything has arrived since the last call, be it part of a reply.
  [[nodiscard]] bool take_heard() noexcept { return std::exchange(heard_, false); }
  /// Marks the end of what is to be sent so far. @pre is_open()
  void mark() noexcept {
    gone_ = gone();
    mark_ = static_cast<std::int64_t>(traffic_.statistics().sent + unsent());
  }
  /// Whether more of what stands before the mark has reached the other end's system since mark(), or since
  /// the last call that said so.
  [[nodiscard]] bool take_leaving() noexcept {
    if (!is_open() || gone_ >= mark_ || gone() <= gone_) return false;
    gone_ = gone();
    return true;
  }

  /// The next reply that has arrived whole; valid until the next call, and may be moved from.
  /// @return  why what arrived is no reply; success with null if there is none yet
  Status next_reply(Reply*& reply) {
    redisReader& reader = *context_->reader;
    for (reply = nullptr; skipped_.pass(reader, building_.skipped);) {
      void* object = nullptr;
      if (redisReaderGetReply(&reader, &object) != REDIS_OK) {
        if (building_.too_large) return too_large();
        return RetryableError{"redis: malformed reply: " + std::string{reader.errstr}};
      }
      reply = static_cast<Reply*>(object);
      if (reply != nullptr) break;
      // What has arrived of it may be a single text, which is built at its end alone.
      if (SkippedText::awaited(reader) <= building_.limits.entry) {
        const bool endless = reader.len - reader.pos > building_.limits.entry + most_of_header;
        return endless ? too_large() : Status{};
      }
      if (SkippedText::depth(reader) < 2) return too_large();  // not of an entry
      skipped_.begin(reader);
    }
    return {};
  }

 private:
  enum class Stage : std::uint8_t { none, connecting, securing, established };
  static constexpr std::size_t most_of_header = 64;  // bytes that are of a text and not in it
  static constexpr std::size_t record = 16384;       // bytes: TLS has no larger one
  static constexpr int most_records = 16;            // in one go: others want their turn

  static Status too_large() { return RetryableError{"redis: a reply is larger than allowed"}; }
  Status failure(std::string_view doing, int error = errno) const {
    if (ssl_ != nullptr && ERR_peek_last_error() != 0) return tls_failure(doing, ssl_);
    std::string text{"redis: "};
    text += doing;
    text += ": ";
    // NOLINTNEXTLINE(concurrency-mt-unsafe)
    text += context_->errstr[0] != '\0' ? context_->errstr : std::strerror(error);
    return RetryableError{std::move(text)};
  }

  /// As much as the socket takes, or by TLS a good deal. The buffer is ours: hiredis would raise SIGPIPE
  /// where the other end is gone, make a new one each time, and move all that is left after each record.
  Status write() {
    if (unsent() == 0) return {};
    if (tls_.enabled) return write_secured();
    const ssize_t sent =
        ::send(context_->fd, out_.data() + written_, unsent(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
      const bool later = errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
      return later ? Status{} : failure("writing");
    }
    wrote(static_cast<std::size_t>(sent));
    return {};
  }

  /// Record by record: of what it is handed at once OpenSSL tells nothing until all of it is written, be
  /// that minutes later.
  Status write_secured() {
    ERR_clear_error();  // what others have left there would be taken for ours
    for (int records = 0; records < most_records && unsent() != 0; ++records) {
      // What it could not write it wants again, wherever that stands now, and perhaps more of it.
      const std::size_t size = std::min(unsent(), record);
      const int sent = SSL_write(ssl_, out_.data() + written_, static_cast<int>(size));
      if (sent <= 0) {
        const int error = SSL_get_error(ssl_, sent);
        if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
          return failure("writing");
        }
        break;
      }
      wrote(static_cast<std::size_t>(sent));
    }
    write_awaits_ = SSL_want_read(ssl_) != 0 ? POLLIN : POLLOUT;
    return {};
  }

  void wrote(std::size_t size) noexcept {
    traffic_.sent(size);
    written_ += size;
    if (written_ == out_.size()) clear_output();
  }

  Status read() {
    char bytes[16384];
    const ssize_t size = ::recv(context_->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (size < 0) return take({{}, errno});
    return take({{bytes, static_cast<std::size_t>(size)}, 0});
  }

  Status read_secured() {
    do {
      const std::size_t before = context_->reader->len;
      ERR_clear_error();  // as in write_secured()
      if (redisBufferRead(context_) != REDIS_OK) return failure("reading");
      heard_ = heard_ || context_->reader->len != before;
      traffic_.received(context_->reader->len - before);
    } while (SSL_pending(ssl_) > 0);
    read_awaits_ = SSL_want_write(ssl_) != 0 ? POLLOUT : POLLIN;
    return write_awaits_ == POLLIN ? write() : Status{};  // now that it may have what it waits for
  }

  /// What the system has taken and does not hold any more. By TLS, and by a Unix socket, it holds more than
  /// it was given. // bytes
  [[nodiscard]] std::int64_t gone() const noexcept {
    int held = 0;
    static_cast<void>(::ioctl(context_->fd, TIOCOUTQ, &held));
    return static_cast<std::int64_t>(traffic_.statistics().sent) - held;
  }

  void clear_output() noexcept {
    if (out_.capacity() > most_kept) std::string{}.swap(out_);  // assigning would keep it
    out_.clear();
    written_ = 0;
  }

  Status finish_connecting() {
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(context_->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
    if (error != 0) return failure(connecting_, error);
    context_->flags |= REDIS_CONNECTED;
    // What is small shall not wait for the answer to what was sent before. (A Unix socket knows neither.)
    const int on = 1;
    static_cast<void>(::setsockopt(context_->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
    static_cast<void>(::setsockopt(context_->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on));
    if (!tls_.enabled) {
      stage_ = Stage::established;
      return let_others_wait();
    }
    return begin_tls();
  }

  /// hiredis has made a socket at which nobody can wait by reading.
  Status let_others_wait() const {
    timeval limit{};
    limit.tv_usec = std::chrono::microseconds{receive_limit}.count();
    const int flags = ::fcntl(context_->fd, F_GETFL);
    const bool done =
        flags >= 0 && ::fcntl(context_->fd, F_SETFL, flags & ~O_NONBLOCK) == 0 &&
        ::setsockopt(context_->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0;
    return done ? Status{} : failure(connecting_);
  }

  Status begin_tls() {
    TlsSession session;
    if (Status status = make_tls_session(tls_, session); !status.ok()) return status;
    ERR_clear_error();
    if (redisInitiateSSL(context_, session.get()) != REDIS_OK) {
      return tls_failure("greeting", session.get());  // the server's answer was there at once
    }
    ssl_ = session.release();
    stage_ = Stage::securing;
    return shake_hands();
  }

  Status shake_hands() {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_);
    if (result == 1) {
      stage_ = Stage::established;
      return {};
    }
    const int error = SSL_get_error(ssl_, result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return {};
    return tls_failure("greeting", ssl_);
  }

  redisContext* context_ = nullptr;
  redisReplyObjectFunctions reader_functions_{};
  ReplyBuilder::Building building_;  ///< what is being read, or was read last
  SkippedText skipped_;              ///< what is not kept of it
  SSL* ssl_ = nullptr;               ///< owned by the context
  std::string connecting_;           ///< what a failure to connect says
  TlsOptions tls_;
  /// What poll() is to look for, for each: by TLS either may have to do the other first.
  /// @{
  short read_awaits_ = POLLIN;
  short write_awaits_ = POLLOUT;
  /// @}
  std::string out_;          ///< to be written
  std::size_t written_ = 0;  ///< of it
  Traffic traffic_;
  std::int64_t mark_ = 0;  ///< of all that was ever sent // bytes
  std::int64_t gone_ = 0;  ///< as it was last seen // bytes
  bool heard_ = false;     ///< something has arrived
  Stage stage_ = Stage::none;
};

}  // namespace gossip::redis
