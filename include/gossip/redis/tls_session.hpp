// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// TlsSession: what TLS is to check and to show, as OpenSSL wants it. Layer: redis.

#include <gossip/core/error.hpp>
#include <gossip/core/status.hpp>
#include <gossip/redis/options.hpp>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <memory>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <utility>

namespace gossip::redis {

/// Frees what OpenSSL has made.
struct FreeTls {
  /// Frees settings.
  void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
  /// Frees a session.
  void operator()(SSL* session) const noexcept { SSL_free(session); }
};
/// A session of TLS, which nobody has greeted yet.
using TlsSession = std::unique_ptr<SSL, FreeTls>;

/// Why TLS failed; the verdict on the server's certificate says most.
/// @param doing    what
/// @param session  null: none yet
/// @return         a FatalError if the certificate is refused, else a RetryableError
[[nodiscard]] inline Status tls_failure(std::string_view doing, const SSL* session = nullptr) {
  std::string text{"redis: TLS: "};
  text += doing;
  const bool checked = session != nullptr && SSL_get_verify_mode(session) != SSL_VERIFY_NONE;
  const long verdict = checked ? SSL_get_verify_result(session) : X509_V_OK;
  if (verdict != X509_V_OK) {
    text += ": certificate refused: ";
    text += X509_verify_cert_error_string(verdict);
    return FatalError{std::move(text)};
  }
  if (const unsigned long code = ERR_peek_last_error(); code != 0) {
    char reason[256];
    ERR_error_string_n(code, reason, sizeof reason);
    text += ": ";
    text += reason;
  }
  return RetryableError{std::move(text)};
}

/// Makes a session that checks the server's certificate, and its name, unless `verify_peer` is off. It
/// is made by us: released hiredis cannot be told to check the name.
/// @param options  `server_name` is not empty
/// @return         why that is impossible; names the option
[[nodiscard]] inline Status make_tls_session(const TlsOptions& options, TlsSession& session) {
  ERR_clear_error();
  const std::unique_ptr<SSL_CTX, FreeTls> context{SSL_CTX_new(TLS_client_method())};
  if (!context) return tls_failure("starting TLS");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  const int authorities =
      options.ca_file.empty()
          ? SSL_CTX_set_default_verify_paths(context.get())
          : SSL_CTX_load_verify_locations(context.get(), options.ca_file.c_str(), nullptr);
  if (authorities != 1) return tls_failure("reading tls.ca_file");
  if (!options.certificate.empty()) {
    if (SSL_CTX_use_certificate_chain_file(context.get(), options.certificate.c_str()) != 1) {
      return tls_failure("reading tls.certificate");
    }
    if (SSL_CTX_use_PrivateKey_file(context.get(), options.key.c_str(), SSL_FILETYPE_PEM) != 1) {
      return tls_failure("reading tls.key");
    }
  }
  session.reset(SSL_new(context.get()));
  if (!session) return tls_failure("starting TLS");
  const char* name = options.server_name.c_str();
  if (options.verify_peer) {
    SSL_set_verify(session.get(), SSL_VERIFY_PEER, nullptr);
    X509_VERIFY_PARAM* check = SSL_get0_param(session.get());
    if (X509_VERIFY_PARAM_set1_ip_asc(check, name) != 1 &&
        SSL_set1_host(session.get(), name) != 1) {
      return tls_failure("setting tls.server_name");
    }
  }
  unsigned char address[16];
  const bool is_name =
      ::inet_pton(AF_INET, name, address) != 1 && ::inet_pton(AF_INET6, name, address) != 1;
  if (is_name) SSL_set_tlsext_host_name(session.get(), name);  // of names alone: RFC 6066
  return {};
}

}  // namespace gossip::redis
