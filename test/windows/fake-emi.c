// SPDX-License-Identifier: MIT
//
// A driver for Wine that pretends to be energy meters: one device for each node ROOT\FAKEEMI\nnnn. None of them is
// present until a test writes a `struct setting` to \\.\FakeEmi, which changes one device. Energy flows at a constant
// power from the time that the driver was loaded.
#include <ntddk.h>

// The header's macro reads a page that Wine does not keep up to date in a driver; the function does.
#undef KeQuerySystemTime
NTSYSAPI VOID NTAPI KeQuerySystemTime(PLARGE_INTEGER);

#define DEVICES 8
#define CHANNELS 8
#define METADATA_BYTES 512

enum mode { RAMP, FAIL, SHORT_ANSWER, FROZEN };

#pragma pack(push, 1)
struct setting {
  ULONG device;
  ULONG present;
  ULONG mode;
  LONG status;    // that a mode of failure answers
  ULONG restart;  // the counts begin anew; otherwise they go on from the time the driver was loaded
  ULONG version;
  ULONG channels;
  ULONG metadata_size;
  UCHAR metadata[METADATA_BYTES];
  ULONG milliwatts[CHANNELS];
  ULONGLONG start[CHANNELS];  // counts at the beginning, in picowatt-hours
};
struct measurement {
  ULONGLONG energy, time;
};
#pragma pack(pop)

struct device {
  DEVICE_OBJECT *lower, *pdo;
  UNICODE_STRING link;
  BOOLEAN is_control, is_on;
  ULONGLONG begin, frozen;
  struct setting setting;
};

static const GUID energy_meter = {0x45bd8344, 0x7ed6, 0x49cf, {0xa4, 0x40, 0xc2, 0x76, 0xc9, 0x33, 0xb0, 0x53}};
static DEVICE_OBJECT *devices[DEVICES];
static LONG found = -1;
static ULONGLONG loaded;

static ULONGLONG now(void) {
  LARGE_INTEGER time;
  KeQuerySystemTime(&time);
  return (ULONGLONG)time.QuadPart;
}

static NTSTATUS complete(IRP *irp, NTSTATUS status, ULONG_PTR bytes) {
  irp->IoStatus.Status = status;
  irp->IoStatus.Information = bytes;
  IofCompleteRequest(irp, IO_NO_INCREMENT);
  return status;
}

static NTSTATUS change(const struct setting *setting) {
  struct device *self;
  if (setting->device >= DEVICES || setting->channels > CHANNELS || setting->metadata_size > METADATA_BYTES ||
      !devices[setting->device])
    return STATUS_INVALID_PARAMETER;
  self = devices[setting->device]->DeviceExtension;
  RtlCopyMemory(&self->setting, setting, sizeof *setting);
  self->begin = setting->restart ? now() : loaded;
  self->frozen = now() - self->begin;
  if (self->is_on == (setting->present != 0)) return STATUS_SUCCESS;
  self->is_on = setting->present != 0;
  return IoSetDeviceInterfaceState(&self->link, self->is_on);
}

static NTSTATUS NTAPI on_open_or_close(DEVICE_OBJECT *object, IRP *irp) {
  (void)object;
  return complete(irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI on_write(DEVICE_OBJECT *object, IRP *irp) {
  const struct device *self = object->DeviceExtension;
  const ULONG size = IoGetCurrentIrpStackLocation(irp)->Parameters.Write.Length;
  NTSTATUS status = STATUS_INVALID_PARAMETER;
  if (self->is_control && size == sizeof(struct setting)) status = change(irp->AssociatedIrp.SystemBuffer);
  return complete(irp, status, status == STATUS_SUCCESS ? size : 0);
}

// Node asks what kind of file it opened.
static NTSTATUS NTAPI on_volume(DEVICE_OBJECT *object, IRP *irp) {
  FILE_FS_DEVICE_INFORMATION *out = irp->AssociatedIrp.SystemBuffer;
  const IO_STACK_LOCATION *at = IoGetCurrentIrpStackLocation(irp);
  (void)object;
  if (at->Parameters.QueryVolume.FsInformationClass != FileFsDeviceInformation ||
      at->Parameters.QueryVolume.Length < sizeof *out)
    return complete(irp, STATUS_INVALID_DEVICE_REQUEST, 0);
  out->DeviceType = FILE_DEVICE_SERIAL_PORT;
  out->Characteristics = 0;
  return complete(irp, STATUS_SUCCESS, sizeof *out);
}

// Copies an answer of so many bytes, or says that there is no room.
static NTSTATUS answer(IRP *irp, const void *data, ULONG size, ULONG announced) {
  if (IoGetCurrentIrpStackLocation(irp)->Parameters.DeviceIoControl.OutputBufferLength < size)
    return complete(irp, STATUS_BUFFER_TOO_SMALL, 0);
  RtlCopyMemory(irp->AssociatedIrp.SystemBuffer, data, size);
  return complete(irp, STATUS_SUCCESS, announced);
}

static NTSTATUS NTAPI on_control(DEVICE_OBJECT *object, IRP *irp) {
  struct device *self = object->DeviceExtension;
  const struct setting *setting = &self->setting;
  struct measurement all[CHANNELS];
  USHORT version = (USHORT)setting->version;
  ULONG i, size = setting->channels * sizeof all[0];
  ULONGLONG elapsed;
  if (self->is_control) return complete(irp, STATUS_INVALID_DEVICE_REQUEST, 0);
  if (setting->mode == FAIL) return complete(irp, setting->status, 0);
  switch (IoGetCurrentIrpStackLocation(irp)->Parameters.DeviceIoControl.IoControlCode) {
    case 0x224000:
      return answer(irp, &version, sizeof version, sizeof version);
    case 0x224004:
      return answer(irp, &setting->metadata_size, sizeof(ULONG), sizeof(ULONG));
    case 0x224008:
      return answer(irp, setting->metadata, setting->metadata_size, setting->metadata_size);
    case 0x22400C:
      elapsed = setting->mode == FROZEN ? self->frozen : now() - self->begin;
      for (i = 0; i < setting->channels; i++) {
        // mW over 100 ns are 1e-10 J, of which 36 make a picowatt-hour.
        all[i].energy = setting->start[i] + elapsed * setting->milliwatts[i] / 36;
        all[i].time = elapsed;
      }
      return answer(irp, all, size, setting->mode == SHORT_ANSWER ? size / 2 : size);
    default:
      return complete(irp, STATUS_INVALID_DEVICE_REQUEST, 0);
  }
}

static NTSTATUS NTAPI on_pnp(DEVICE_OBJECT *object, IRP *irp) {
  struct device *self = object->DeviceExtension;
  const UCHAR minor = IoGetCurrentIrpStackLocation(irp)->MinorFunction;
  if (minor == IRP_MN_START_DEVICE) IoRegisterDeviceInterface(self->pdo, &energy_meter, NULL, &self->link);
  irp->IoStatus.Status = STATUS_SUCCESS;
  IoSkipCurrentIrpStackLocation(irp);
  if (minor == IRP_MN_REMOVE_DEVICE) {
    DEVICE_OBJECT *lower = self->lower;
    const NTSTATUS status = IofCallDriver(lower, irp);
    IoDetachDevice(lower);
    IoDeleteDevice(object);
    return status;
  }
  return IofCallDriver(self->lower, irp);
}

static NTSTATUS NTAPI on_add(DRIVER_OBJECT *driver, DEVICE_OBJECT *pdo) {
  DEVICE_OBJECT *object;
  struct device *self;
  const LONG index = InterlockedIncrement(&found);
  const NTSTATUS status = IoCreateDevice(driver, sizeof *self, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &object);
  if (status != STATUS_SUCCESS) return status;
  self = object->DeviceExtension;
  RtlZeroMemory(self, sizeof *self);
  self->pdo = pdo;
  self->lower = IoAttachDeviceToDeviceStack(object, pdo);
  object->Flags = (object->Flags | DO_BUFFERED_IO) & ~DO_DEVICE_INITIALIZING;
  if (index < DEVICES) devices[index] = object;
  return STATUS_SUCCESS;
}

static VOID NTAPI on_unload(DRIVER_OBJECT *driver) { (void)driver; }

NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *path) {
  UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\Device\\FakeEmi");
  UNICODE_STRING link = RTL_CONSTANT_STRING(L"\\DosDevices\\FakeEmi");
  DEVICE_OBJECT *control;
  NTSTATUS status;
  (void)path;
  loaded = now();
  driver->MajorFunction[IRP_MJ_CREATE] = driver->MajorFunction[IRP_MJ_CLOSE] =
      driver->MajorFunction[IRP_MJ_CLEANUP] = on_open_or_close;
  driver->MajorFunction[IRP_MJ_QUERY_VOLUME_INFORMATION] = on_volume;
  driver->MajorFunction[IRP_MJ_WRITE] = on_write;
  driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = on_control;
  driver->MajorFunction[IRP_MJ_PNP] = on_pnp;
  driver->DriverExtension->AddDevice = on_add;
  driver->DriverUnload = on_unload;
  status = IoCreateDevice(driver, sizeof(struct device), &name, FILE_DEVICE_UNKNOWN, 0, FALSE, &control);
  if (status != STATUS_SUCCESS) return status;
  RtlZeroMemory(control->DeviceExtension, sizeof(struct device));
  ((struct device *)control->DeviceExtension)->is_control = TRUE;
  control->Flags = (control->Flags | DO_BUFFERED_IO) & ~DO_DEVICE_INITIALIZING;
  return IoCreateSymbolicLink(&link, &name);
}
