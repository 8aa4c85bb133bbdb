// SPDX-License-Identifier: MIT
#pragma once

/// @file
/// The version of gossip, as numbers and as text. CMake reads the three numbers from here, so they
/// stand in one place. Layer: below all.

/// The version's numbers.
/// @{
#define GOSSIP_VERSION_MAJOR 0
#define GOSSIP_VERSION_MINOR 1
#define GOSSIP_VERSION_PATCH 0
/// @}

/// "major.minor.patch" of the three numbers above.
#define GOSSIP_VERSION_STRING "0.1.0"
