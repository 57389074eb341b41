// SPDX-License-Identifier: MIT
#include "emi_metadata.h"

namespace microjoule {
namespace {

// EMI_METADATA_V1: unit, OEM, model, revision, bytes of the name, name.
// EMI_METADATA_V2: OEM, model, revision, number of channels, channels; each of them unit, bytes of
// the name, name, and the next follows without padding.
constexpr size_t kFixedNameBytes = 16 * 2;

// Takes fields off the front, little endian, never beyond the end.
class Bytes {
 public:
  Bytes(const uint8_t* data, size_t size) : data_(data), left_(size) {}

  bool TakeNumber(size_t bytes, uint32_t* out) {
    if (left_ < bytes) return false;
    *out = 0;
    for (size_t i = 0; i < bytes; ++i) *out |= static_cast<uint32_t>(data_[i]) << (8 * i);
    Skip(bytes);
    return true;
  }

  // UTF-16 up to its first NUL, without the spaces that pad it.
  bool TakeText(size_t bytes, std::string* out);

 private:
  void Skip(size_t bytes) {
    data_ += bytes;
    left_ -= bytes;
  }

  const uint8_t* data_;
  size_t left_;
};

void AppendUtf8(uint32_t code, std::string* out) {
  const auto part = [code](int shift) { return static_cast<char>(0x80 | (code >> shift & 0x3F)); };
  if (code < 0x80) {
    *out += static_cast<char>(code);
  } else if (code < 0x800) {
    *out += {static_cast<char>(0xC0 | code >> 6), part(0)};
  } else if (code < 0x10000) {
    *out += {static_cast<char>(0xE0 | code >> 12), part(6), part(0)};
  } else {
    *out += {static_cast<char>(0xF0 | code >> 18), part(12), part(6), part(0)};
  }
}

// Names are shown on terminals: what is no character, or steers one, becomes this.
constexpr uint32_t kReplacement = 0xFFFD;

bool Bytes::TakeText(size_t bytes, std::string* out) {
  if (left_ < bytes || bytes % 2 != 0) return false;
  out->clear();
  const auto unit = [this](size_t i) {
    return static_cast<uint32_t>(data_[i]) | static_cast<uint32_t>(data_[i + 1]) << 8;
  };
  for (size_t i = 0; i < bytes && unit(i) != 0; i += 2) {
    uint32_t code = unit(i);
    if (code < 0x20 || (code >= 0x7F && code < 0xA0)) {
      code = kReplacement;
    } else if (code >= 0xD800 && code < 0xE000) {
      const uint32_t low = i + 2 < bytes ? unit(i + 2) : 0;
      const bool is_pair = code < 0xDC00 && low >= 0xDC00 && low < 0xE000;
      code = is_pair ? 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00) : kReplacement;
      if (is_pair) i += 2;
    }
    AppendUtf8(code, out);
  }
  Skip(bytes);
  const size_t first = out->find_first_not_of(' ');
  *out =
      first == std::string::npos ? "" : out->substr(first, out->find_last_not_of(' ') + 1 - first);
  return true;
}

bool TakeHead(Bytes* bytes, EmiMetadata* out) {
  uint32_t revision = 0;
  if (!bytes->TakeText(kFixedNameBytes, &out->oem)) return false;
  if (!bytes->TakeText(kFixedNameBytes, &out->model)) return false;
  if (!bytes->TakeNumber(2, &revision)) return false;
  out->revision = static_cast<uint16_t>(revision);
  return true;
}

bool TakeName(Bytes* bytes, EmiChannel* channel) {
  uint32_t name_bytes = 0;
  return bytes->TakeNumber(2, &name_bytes) && bytes->TakeText(name_bytes, &channel->name);
}

bool TakeV1(Bytes bytes, EmiMetadata* out, std::string* error) {
  EmiChannel channel;
  if (!bytes.TakeNumber(4, &channel.unit) || !TakeHead(&bytes, out) ||
      !TakeName(&bytes, &channel)) {
    *error = "its metadata (version 1) end before what they announce";
    return false;
  }
  out->channels.push_back(std::move(channel));
  return true;
}

bool TakeV2(Bytes bytes, EmiMetadata* out, std::string* error) {
  uint32_t count = 0;
  if (!TakeHead(&bytes, out) || !bytes.TakeNumber(2, &count)) {
    *error = "its metadata (version 2) end within their head";
    return false;
  }
  for (uint32_t i = 0; i < count; ++i) {
    EmiChannel channel;
    if (!bytes.TakeNumber(4, &channel.unit) || !TakeName(&bytes, &channel)) {
      *error = "its metadata (version 2) announce " + std::to_string(count) +
               " channels and end within channel " + std::to_string(i);
      return false;
    }
    out->channels.push_back(std::move(channel));
  }
  return true;
}

}  // namespace

bool ParseEmiMetadata(uint16_t version, const uint8_t* data, size_t size, EmiMetadata* out,
                      std::string* error) {
  *out = {};
  const Bytes bytes(data, size);
  const bool good = version == 1   ? TakeV1(bytes, out, error)
                    : version == 2 ? TakeV2(bytes, out, error)
                                   : false;
  if (version != 1 && version != 2) {
    *error =
        "it speaks version " + std::to_string(version) + " of the interface; 1 and 2 are known";
  }
  if (!good) *out = {};
  return good;
}

EmiSample ParseEmiSample(const uint8_t* data) {
  const auto number = [data](size_t from) {
    uint64_t value = 0;
    for (size_t i = 0; i < 8; ++i) value |= static_cast<uint64_t>(data[from + i]) << (8 * i);
    return value;
  };
  return {number(0), number(8)};
}

}  // namespace microjoule
