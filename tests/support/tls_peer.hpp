// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// TlsPeer: the server's end of one TLS connection, step by step.

#include <gossip/redis/tls_session.hpp>

#include "support/loopback.hpp"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

namespace gossip::test {

/// Accepts one connection on a free loopback port, and shows a certificate that nobody has signed. The
/// test drives it on its own thread; nothing of it waits but accept().
class TlsPeer {
 public:
  /// @param version  the only one it speaks, such as TLS1_2_VERSION
  explicit TlsPeer(int version = TLS1_3_VERSION) {
    const std::unique_ptr<SSL_CTX, redis::FreeTls> context{SSL_CTX_new(TLS_server_method())};
    const std::unique_ptr<EVP_PKEY, Free> key = make_key();
    const std::unique_ptr<X509, Free> certificate{X509_new()};
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
    X509_set_pubkey(certificate.get(), key.get());
    X509_sign(certificate.get(), key.get(), EVP_sha256());
    SSL_CTX_set_min_proto_version(context.get(), version);
    SSL_CTX_set_max_proto_version(context.get(), version);
    if (SSL_CTX_use_certificate(context.get(), certificate.get()) != 1 ||
        SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1) {
      throw std::runtime_error{"no certificate for the test"};
    }
    session_.reset(SSL_new(context.get()));
  }
  TlsPeer(const TlsPeer&) = delete;
  TlsPeer& operator=(const TlsPeer&) = delete;
  ~TlsPeer() {
    if (socket_ >= 0) ::close(socket_);
  }

  [[nodiscard]] std::uint16_t port() const noexcept { return listener_.port(); }
  /// Waits for the client.
  void accept() {
    socket_ = ::accept4(listener_.descriptor(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    SSL_set_fd(session_.get(), socket_);
    SSL_set_accept_state(session_.get());
  }
  /// Goes on with greeting the client. @return whether that is done
  bool shake_hands() { return SSL_do_handshake(session_.get()) == 1; }
  /// Asks the client to greet anew: up to TLS 1.2.
  void ask_for_greeting() {
    SSL_renegotiate(session_.get());
    static_cast<void>(shake_hands());
  }
  /// @return whether all of it was sent
  bool send(const std::string& text) {
    return SSL_write(session_.get(), text.data(), static_cast<int>(text.size())) > 0;
  }
  /// What has arrived.
  std::string receive() {
    char text[4096];
    const int size = SSL_read(session_.get(), text, sizeof text);
    return {text, size > 0 ? static_cast<std::size_t>(size) : 0};
  }
  /// What has arrived, as it went over the wire.
  std::string receive_raw() const {
    char bytes[4096];
    const ssize_t size = ::recv(socket_, bytes, sizeof bytes, MSG_DONTWAIT);
    return {bytes, size > 0 ? static_cast<std::size_t>(size) : 0};
  }

 public:
  struct Free {
    void operator()(EVP_PKEY_CTX* context) const noexcept { EVP_PKEY_CTX_free(context); }
    void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
    void operator()(X509* certificate) const noexcept { X509_free(certificate); }
  };
  static std::unique_ptr<EVP_PKEY, Free> make_key() {
    const std::unique_ptr<EVP_PKEY_CTX, Free> making{EVP_PKEY_CTX_new_id(EVP_PKEY_EC, nullptr)};
    EVP_PKEY* key = nullptr;
    if (EVP_PKEY_keygen_init(making.get()) != 1 ||
        EVP_PKEY_CTX_set_ec_paramgen_curve_nid(making.get(), NID_X9_62_prime256v1) != 1 ||
        EVP_PKEY_keygen(making.get(), &key) != 1) {
      throw std::runtime_error{"no key for the test"};
    }
    return std::unique_ptr<EVP_PKEY, Free>{key};
  }

  LoopbackListener listener_;
  redis::TlsSession session_;
  int socket_ = -1;
};

}  // namespace gossip::test
