// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// A catalogue of event types: what a company's services tell one another about people, their
/// organisations and what they may do. A catalogue is what publishers and subscribers share, and all
/// they share. Names are `domain.entity.action`, the action in the past.

#include <gossip/core/event_type.hpp>

#include <string>

namespace catalogue {

// ---- auth: who is it? -----------------------------------------------------------------------------

struct UserData {
  std::string id;
  std::string name;
  std::string mail;
};
struct LoginData {
  std::string user_id;
  std::string address;  ///< where from
};
struct PasswordData {
  std::string user_id;
};
struct LockData {
  std::string user_id;
  int failed_logins = 0;
};

inline constexpr gossip::EventType<UserData> user_created{"auth.user.created"};
inline constexpr gossip::EventType<LoginData> login_succeeded{"auth.login.succeeded"};
inline constexpr gossip::EventType<LoginData> login_failed{"auth.login.failed"};
inline constexpr gossip::EventType<PasswordData> password_changed{"auth.password.changed"};
inline constexpr gossip::EventType<LockData> user_locked{"auth.user.locked"};

// ---- user: what do we know about them? --------------------------------------------------------------

struct ProfileData {
  std::string user_id;
  std::string field;
  std::string value;
};

inline constexpr gossip::EventType<ProfileData> profile_updated{"user.profile.updated"};
inline constexpr gossip::EventType<UserData> user_deleted{"user.account.deleted"};

// ---- organisation: whom do they work with? ----------------------------------------------------------

struct OrganisationData {
  std::string id;
  std::string name;
};
struct MemberData {
  std::string organisation_id;
  std::string user_id;
};

inline constexpr gossip::EventType<OrganisationData> team_created{"organisation.team.created"};
inline constexpr gossip::EventType<MemberData> member_added{"organisation.member.added"};
inline constexpr gossip::EventType<MemberData> member_removed{"organisation.member.removed"};

// ---- permission: what may they do? ------------------------------------------------------------------

struct RoleData {
  std::string user_id;
  std::string role;
};
struct AccessData {
  std::string user_id;
  std::string resource;
};

inline constexpr gossip::EventType<RoleData> role_granted{"permission.role.granted"};
inline constexpr gossip::EventType<RoleData> role_revoked{"permission.role.revoked"};
inline constexpr gossip::EventType<AccessData> access_denied{"permission.access.denied"};

/// The daily statistics are due. Carries no data.
inline constexpr gossip::EventType<void> report_due{"organisation.report.due"};

}  // namespace catalogue
