// SPDX-License-Identifier: MIT
#include "emi_metadata.h"
#include "emi_places.h"
#include "fuzz.h"

namespace microjoule {
namespace {

// A name is UTF-8 without what steers a terminal, so that it can be shown.
void CheckText(const std::string& text) {
  REQUIRE(text.empty() || (text.front() != ' ' && text.back() != ' '));
  size_t left = 0;
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (left > 0) {
      REQUIRE((byte & 0xC0) == 0x80);
      --left;
    } else if (byte >= 0x80) {
      REQUIRE(byte >= 0xC2 && byte < 0xF5);
      left = byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
    } else {
      REQUIRE(byte >= 0x20 && byte != 0x7F);
    }
  }
  REQUIRE(left == 0);
}

// Where the channels of version 2 stand, by plain arithmetic; 0 where they leave the bytes.
size_t EndOfV2(const std::vector<uint8_t>& bytes) {
  if (bytes.size() < 68) return 0;
  size_t end = 68;
  for (size_t i = bytes[66] | bytes[67] << 8; i > 0; --i) {
    if (bytes.size() - end < 6) return 0;
    const size_t name = static_cast<size_t>(bytes[end + 4] | bytes[end + 5] << 8);
    end += 6;
    if (name % 2 != 0 || bytes.size() - end < name) return 0;
    end += name;
  }
  return end;
}

size_t EndOfV1(const std::vector<uint8_t>& bytes) {
  if (bytes.size() < 72) return 0;
  const size_t name = static_cast<size_t>(bytes[70] | bytes[71] << 8);
  return name % 2 == 0 && bytes.size() - 72 >= name ? 72 + name : 0;
}

void Check(uint16_t version, const std::vector<uint8_t>& bytes) {
  EmiMetadata found;
  std::string error;
  const bool good = ParseEmiMetadata(version, bytes.data(), bytes.size(), &found, &error);
  REQUIRE(good == error.empty());
  REQUIRE(good == (version == 1   ? EndOfV1(bytes) != 0
                   : version == 2 ? EndOfV2(bytes) != 0
                                  : false));
  if (!good) {
    REQUIRE(found.channels.empty() && found.oem.empty() && found.model.empty());
    return;
  }
  REQUIRE(found.channels.size() ==
          (version == 1 ? 1u : size_t{bytes[66]} | size_t{bytes[67]} << 8));
  CheckText(found.oem);
  CheckText(found.model);
  std::vector<EmiPlace> places;
  for (const EmiChannel& channel : found.channels) {
    CheckText(channel.name);
    places.push_back(PlaceEmiChannel(channel.name));
  }
  SettleEmiPlaces(&places);
  // Of a package all that stay have one rank.
  for (const EmiPlace& one : places) {
    for (const EmiPlace& other : places) {
      if (one.domain != Domain::kPackage || other.domain != Domain::kPackage) continue;
      REQUIRE(one.package != other.package || one.rank == other.rank);
    }
  }
}

}  // namespace
}  // namespace microjoule

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace microjoule;
  if (size == 0) return 0;
  // In memory of just that size, so that a read beyond it is seen.
  const std::vector<uint8_t> bytes(data + 1, data + size);
  Check(1, bytes);
  Check(2, bytes);
  Check(data[0], bytes);
  PlaceEmiChannel(Text(data, size));
  if (bytes.size() >= kEmiSampleBytes) {
    const EmiSample sample = ParseEmiSample(bytes.data());
    const std::string_view text = Text(bytes.data(), bytes.size());
    REQUIRE(sample.picowatt_hours == Word(text, 0) && sample.time_100ns == Word(text, 1));
  }
  return 0;
}
