// SPDX-License-Identifier: MIT
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

// A folder that is gone with the object. Paths are relative to it.
class TempTree {
 public:
  TempTree() {
    std::string name = (std::filesystem::temp_directory_path() / "microjoule-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    root_ = name;
  }
  ~TempTree() { std::filesystem::remove_all(root_); }

  std::string root() const { return root_; }
  std::string Path(const std::string& path) const { return root_ + "/" + path; }

  void Write(const std::string& path, const std::string& content) const {
    std::filesystem::create_directories(std::filesystem::path(Path(path)).parent_path());
    std::ofstream(Path(path), std::ios::binary | std::ios::trunc) << content;
  }
  void Folder(const std::string& path) const { std::filesystem::create_directories(Path(path)); }
  void Link(const std::string& path, const std::string& target) const {
    std::filesystem::create_directories(std::filesystem::path(Path(path)).parent_path());
    std::filesystem::create_symlink(target, Path(path));
  }
  void Remove(const std::string& path) const { std::filesystem::remove_all(Path(path)); }

  // One powercap zone. An empty `range` leaves the file out.
  void Zone(const std::string& zone, const std::string& name, const std::string& energy,
            const std::string& range = "262143328850\n") const {
    const std::string base = "class/powercap/" + zone + "/";
    Write(base + "name", name + "\n");
    Write(base + "energy_uj", energy);
    if (!range.empty()) Write(base + "max_energy_range_uj", range);
  }

 private:
  std::string root_;
};
