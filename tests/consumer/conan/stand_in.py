# SPDX-License-Identifier: MIT
"""stand_in.py SOURCE WORK: runs conanfile.py without Conan, with each choice of its options.

The few classes and functions of Conan's that the recipe uses stand here in their smallest form; what
the recipe packages, requires and offers is compared with what it should. Prints the version.
"""
import collections
import fnmatch
import os
import shutil
import sys
import types

source, work = sys.argv[1:]


class ConanFile:
    pass


class Bag(types.SimpleNamespace):
    """Attributes, and one Bag for each key that is asked for: options and cpp_info."""

    def __init__(self, **values):
        super().__init__(**values)
        self._bags = collections.defaultdict(Bag)
        self.properties = {}

    def __getitem__(self, key):
        return self._bags[key]

    def set_property(self, name, value):
        self.properties[name] = value


def copy(recipe, pattern, src, dst, excludes=()):
    for folder, _, names in os.walk(src):
        for name in names:
            path = os.path.relpath(os.path.join(folder, name), src)
            if fnmatch.fnmatch(path, pattern) and not any(fnmatch.fnmatch(path, e) for e in excludes):
                os.makedirs(os.path.dirname(os.path.join(dst, path)), exist_ok=True)
                shutil.copyfile(os.path.join(src, path), os.path.join(dst, path))


def offer(name, **members):
    sys.modules[name] = types.ModuleType(name)
    vars(sys.modules[name]).update(members)


minimum = []
offer("conan", ConanFile=ConanFile)
offer("conan.tools")
offer("conan.tools.build", check_min_cppstd=lambda recipe, least: minimum.append(least))
offer("conan.tools.files", copy=copy, load=lambda recipe, path: open(path, encoding="utf-8").read())
offer("conan.tools.layout", basic_layout=lambda recipe: None)

scope = {}
with open(os.path.join(source, "conanfile.py"), encoding="utf-8") as file:
    exec(compile(file.read(), "conanfile.py", "exec"), scope)
Recipe = scope["GossipConan"]


def check(what, actual, expected):
    if actual != expected:
        sys.exit(f"conanfile.py: {what}: {actual}, not {expected}")


def headers(without):
    listed = open(os.path.join(source, "cmake/headers.cmake"), encoding="utf-8").read().split()
    return {h for h in listed if h.startswith("gossip/") and not h.startswith(tuple(without))}


for json, redis in ((False, False), (True, False), (False, True), (True, True)):
    recipe = Recipe()
    recipe.recipe_folder = source
    recipe.settings = Bag(os="Linux")
    recipe.info = Bag(settings=Bag(clear=lambda: None))
    recipe.options = Bag(with_json=json, with_redis=redis)
    recipe.cpp_info = Bag(components=collections.defaultdict(Bag))
    recipe.source_folder = source
    recipe.package_folder = os.path.join(work, f"conan_{json}_{redis}".lower())
    shutil.rmtree(recipe.package_folder, ignore_errors=True)
    required = []
    recipe.requires = required.append

    recipe.set_version()
    recipe.configure()
    recipe.layout()
    recipe.requirements()
    recipe.validate()
    recipe.package_id()
    recipe.package()
    recipe.package_info()

    json = json or redis
    check("requires", [r.split("/")[0] for r in required],
          ["nlohmann_json"] * json + ["hiredis", "openssl", "zlib"] * redis)
    check("hiredis with TLS", getattr(recipe.options["hiredis"], "with_ssl", False), redis)
    components = recipe.cpp_info.components
    check("components", list(components), ["gossip"] + ["json"] * json + ["redis"] * redis)
    check("targets", {c.properties["cmake_target_name"] for c in components.values()},
          {f"gossip::{name}" for name in components})
    # Conan demands that every requirement is used by a component.
    used = {r.split("::")[0] for c in components.values() for r in c.requires if "::" in r}
    check("used", used, {r.split("/")[0] for r in required})
    without = ["gossip/json"] * (not json) + ["gossip/redis"] * (not redis)
    packaged = {os.path.relpath(os.path.join(folder, name), recipe.package_folder)
                for folder, _, names in os.walk(recipe.package_folder) for name in names}
    check("files", packaged,
          {"include/" + h for h in headers(without)} | {"licenses/LICENSE"})
check("least language", set(minimum), {20})
print(recipe.version)
