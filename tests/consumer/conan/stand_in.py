# SPDX-License-Identifier: MIT
"""stand_in.py SOURCE WORK: runs conanfile.py without Conan, with each choice of its options, and the test
package on what it makes of the default ones.

The few classes and functions of Conan's that the recipes use stand here in their smallest form; what
the recipe packages, requires and offers is compared with what it should. Prints the version. CMake and
its choices are those of the environment, see run.sh.
"""
import collections
import fnmatch
import os
import shutil
import subprocess
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



def recipe_in(folder, name):
    scope = {}
    with open(os.path.join(folder, "conanfile.py"), encoding="utf-8") as file:
        exec(compile(file.read(), os.path.join(folder, "conanfile.py"), "exec"), scope)
    return scope[name]


Recipe = recipe_in(source, "GossipConan")


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


def generate_dependencies(recipe, folder):
    """As the generator CMakeDeps: a package file that makes targets of what the recipe offers."""
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "gossip-config.cmake"), "w", encoding="utf-8") as file:
        for component in recipe.cpp_info.components.values():
            target = component.properties["cmake_target_name"]
            links = [f"gossip::{name}" for name in component.requires] + component.system_libs
            file.write(f"add_library({target} INTERFACE IMPORTED)\n"
                       f'target_include_directories({target} INTERFACE "{recipe.package_folder}/include")\n'
                       f"target_compile_features({target} INTERFACE cxx_std_20)\n"
                       f"target_link_libraries({target} INTERFACE {' '.join(links)})\n")


class CMake:
    def __init__(self, recipe):
        self.folder = recipe.cpp.build.bindir
        self.source = recipe.source_folder

    @staticmethod
    def call(*arguments):
        subprocess.run([os.environ["GOSSIP_CMAKE"], *arguments], check=True, stdout=subprocess.DEVNULL)

    def configure(self):
        self.call("-S", self.source, "-B", self.folder, "-G", os.environ["GOSSIP_GENERATOR"],
                  "-DCMAKE_MAKE_PROGRAM=" + os.environ["GOSSIP_MAKE"],
                  "-DCMAKE_CXX_COMPILER=" + os.environ["GOSSIP_CXX"],
                  "-Dgossip_DIR=" + os.path.join(self.folder, "generators"))

    def build(self):
        self.call("--build", self.folder)


# The package without options, as whoever requires it gets it.
package = Recipe()
package.settings = Bag(os="Linux")
package.options = Bag(with_json=False, with_redis=False)
package.cpp_info = Bag(components=collections.defaultdict(lambda: Bag(system_libs=[])))
package.package_folder = os.path.join(work, "conan_false_false")
package.package_info()

offer("conan.tools.build", can_run=lambda recipe: True)
offer("conan.tools.cmake", CMake=CMake, CMakeToolchain=lambda recipe: Bag(generate=lambda: None),
      cmake_layout=lambda recipe: None)
folder = os.path.join(source, Recipe.test_package_folder)
test = recipe_in(folder, "TestPackageConan")()
test.tested_reference_str = f"gossip/{recipe.version}"
test.source_folder = folder
test.cpp = Bag(build=Bag(bindir=os.path.join(work, "conan_test_package")))
shutil.rmtree(test.cpp.build.bindir, ignore_errors=True)
required, ran = [], []
test.requires = required.append
test.run = lambda command, env: ran.append(subprocess.run([command], check=True).returncode)
test.layout()
test.requirements()
check("what the test package requires", required, [f"gossip/{recipe.version}"])
check("its generators", test.generators, "CMakeDeps")
test.generate()
generate_dependencies(package, os.path.join(test.cpp.build.bindir, "generators"))
test.build()
test.test()
check("programs of the test package that ran", ran, [0])
print(recipe.version)
