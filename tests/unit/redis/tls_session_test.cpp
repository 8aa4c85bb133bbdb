// SPDX-License-Identifier: MIT
#include <gossip/redis/tls_session.hpp>

#include <catch2/catch_test_macros.hpp>

#include <memory>
#include <string>

using gossip::Status;
using gossip::redis::make_tls_session;
using gossip::redis::tls_failure;
using gossip::redis::TlsOptions;
using gossip::redis::TlsSession;

namespace {

TlsOptions options_for(const char* server_name) {
  TlsOptions options;
  options.enabled = true;
  options.server_name = server_name;
  return options;
}

std::string name_checked(const TlsSession& session) {
  const char* name = X509_VERIFY_PARAM_get0_host(SSL_get0_param(session.get()), 0);
  return name == nullptr ? "" : name;
}

struct FreeText {
  void operator()(char* text) const noexcept { OPENSSL_free(text); }
};
std::string address_checked(const TlsSession& session) {
  const std::unique_ptr<char, FreeText> text{
      X509_VERIFY_PARAM_get1_ip_asc(SSL_get0_param(session.get()))};
  return text == nullptr ? "" : text.get();
}

}  // namespace

TEST_CASE("TlsSession: the server's certificate is checked, and its name", "[redis]") {
  TlsSession session;
  REQUIRE(make_tls_session(options_for("redis.example"), session).ok());
  REQUIRE(SSL_get_verify_mode(session.get()) == SSL_VERIFY_PEER);
  REQUIRE(name_checked(session) == "redis.example");
  REQUIRE(address_checked(session).empty());
  REQUIRE(SSL_get_min_proto_version(session.get()) == TLS1_2_VERSION);
}

TEST_CASE("TlsSession: where the name is an address, the address is checked", "[redis]") {
  TlsSession session;
  REQUIRE(make_tls_session(options_for("192.0.2.7"), session).ok());
  REQUIRE(address_checked(session) == "192.0.2.7");
  REQUIRE(name_checked(session).empty());
}

TEST_CASE("TlsSession: a name is told to the server, and an address is not", "[redis]") {
  for (const bool verify : {true, false}) {
    for (const char* text : {"redis.example", "192.0.2.7", "2001:db8::7"}) {
      TlsOptions options = options_for(text);
      options.verify_peer = verify;
      TlsSession session;
      REQUIRE(make_tls_session(options, session).ok());
      const char* told = SSL_get_servername(session.get(), TLSEXT_NAMETYPE_host_name);
      REQUIRE((told != nullptr) == (text == std::string{"redis.example"}));
    }
  }
}

TEST_CASE("TlsSession: nothing is checked where that was asked for", "[redis]") {
  TlsOptions options = options_for("redis.example");
  options.verify_peer = false;
  TlsSession session;
  REQUIRE(make_tls_session(options, session).ok());
  REQUIRE(SSL_get_verify_mode(session.get()) == SSL_VERIFY_NONE);
}

TEST_CASE("TlsSession: a file that cannot be read is named by its option", "[redis]") {
  TlsSession session;
  TlsOptions options = options_for("redis.example");
  options.ca_file = "/nonexistent/ca.pem";
  REQUIRE(make_tls_session(options, session).what().find("tls.ca_file") != std::string::npos);
  options.ca_file.clear();
  options.certificate = "/nonexistent/own.pem";
  REQUIRE(make_tls_session(options, session).what().find("tls.certificate") != std::string::npos);
}

TEST_CASE("TlsSession: a refused certificate is fatal, anything else is not", "[redis]") {
  TlsSession session;
  REQUIRE(make_tls_session(options_for("redis.example"), session).ok());
  SSL_set_verify_result(session.get(), X509_V_ERR_CERT_HAS_EXPIRED);
  const Status refused = tls_failure("greeting", session.get());
  REQUIRE(refused.what() ==
          "fatal error: redis: TLS: greeting: certificate refused: certificate has expired");
  SSL_set_verify_result(session.get(), X509_V_OK);
  REQUIRE(gossip::is_retryable(tls_failure("greeting", session.get())));
  REQUIRE(gossip::is_retryable(tls_failure("greeting")));
}

TEST_CASE("TlsSession: a certificate that was not to be checked is not what has failed",
          "[redis]") {
  TlsOptions options = options_for("redis.example");
  options.verify_peer = false;
  TlsSession session;
  REQUIRE(make_tls_session(options, session).ok());
  SSL_set_verify_result(session.get(), X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT);
  REQUIRE(gossip::is_retryable(tls_failure("greeting", session.get())));
}
