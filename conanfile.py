# SPDX-License-Identifier: MIT
"""Conan 2 recipe: `conan create .`, or with Redis `conan create . -o "gossip/*:with_redis=True"`."""
import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.files import copy, load
from conan.tools.layout import basic_layout

required_conan_version = ">=2.0"


class GossipConan(ConanFile):
    name = "gossip"
    description = "A header-only C++20 event bus"
    license = "MIT"
    topics = ("event-bus", "publish-subscribe", "concurrency", "redis", "header-only")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"with_json": [True, False], "with_redis": [True, False]}
    default_options = {"with_json": False, "with_redis": False}
    exports_sources = "LICENSE", "include/*.hpp"
    no_copy_source = True
    test_package_folder = "tests/consumer/conan/test_package"  # Conan 2.3

    @property
    def _json(self):
        return bool(self.options.with_json) or bool(self.options.with_redis)

    def set_version(self):
        header = load(self, os.path.join(self.recipe_folder, "include/gossip/version.hpp"))
        self.version = re.search(r'GOSSIP_VERSION_STRING "([^"]+)"', header).group(1)

    def configure(self):
        if self.options.with_redis:
            self.options["hiredis"].with_ssl = True

    def layout(self):
        basic_layout(self)

    def requirements(self):
        if self._json:
            self.requires("nlohmann_json/3.11.3")
        if self.options.with_redis:
            self.requires("hiredis/1.2.0")
            self.requires("openssl/[>=1.1 <4]")
            self.requires("zlib/[>=1.2.11 <2]")

    def package_id(self):
        # The settings do not matter to headers; the options say which of them there are.
        self.info.settings.clear()

    def validate(self):
        check_min_cppstd(self, 20)

    def package(self):
        without = []
        if not self._json:
            without += ["gossip/json.hpp", "gossip/json/*"]
        if not self.options.with_redis:
            without += ["gossip/redis.hpp", "gossip/redis/*"]
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        copy(self, "*.hpp", os.path.join(self.source_folder, "include"),
             os.path.join(self.package_folder, "include"), excludes=without)

    def package_info(self):
        # The same targets as those of an installation: gossip::gossip, gossip::json, gossip::redis.
        self.cpp_info.set_property("cmake_file_name", "gossip")
        core = self._component("gossip", [])
        core.set_property("pkg_config_name", "gossip")
        if self.settings.os in ("Linux", "FreeBSD"):
            core.system_libs = ["pthread"]
        if self._json:
            self._component("json", ["gossip", "nlohmann_json::nlohmann_json"])
        if self.options.with_redis:
            self._component("redis", ["json", "hiredis::hiredis", "openssl::openssl", "zlib::zlib"])

    def _component(self, name, requires):
        component = self.cpp_info.components[name]
        component.set_property("cmake_target_name", f"gossip::{name}")
        component.requires = requires
        component.bindirs = []
        component.libdirs = []
        return component
