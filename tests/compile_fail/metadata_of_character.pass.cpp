// SPDX-License-Identifier: MIT
#include <gossip/core/metadata.hpp>

void use(gossip::Metadata& metadata) { metadata.set("grade", "x"); }
