{
  "variables": {
    "core_sources": [
      "native/calibration.cc",
      "native/count.cc",
      "native/counter_watch.cc",
      "native/device_time.cc",
      "native/keep_alive.cc",
      "native/meter.cc",
      "native/nvml.cc",
      "native/nvml_channel.cc",
      "native/nvml_choose.cc",
      "native/nvml_gpu.cc",
      "native/nvml_hub.cc",
      "native/nvml_library.cc",
      "native/nvml_power.cc",
      "native/nvml_update.cc",
      "native/nvml_worker.cc",
      "native/package_sampler.cc",
      "native/registry.cc",
      "native/sample_ring.cc",
      "native/sampler.cc",
      "native/source.cc",
      "native/sources.cc",
      "native/update_predictor.cc",
      "native/update_tally.cc"
    ],
    "linux_sources": [
      "native/child_usage_posix.cc",
      "native/clock_linux.cc",
      "native/cpu_identity.cc",
      "native/cpu_list.cc",
      "native/driver_log_posix.cc",
      "native/dynamic_library_posix.cc",
      "native/msr_core_linux.cc",
      "native/msr_device_linux.cc",
      "native/msr_linux.cc",
      "native/msr_registers.cc",
      "native/nvml_files_posix.cc",
      "native/nvml_pci_linux.cc",
      "native/perf_core_linux.cc",
      "native/perf_event_linux.cc",
      "native/perf_linux.cc",
      "native/perf_pmu.cc",
      "native/perf_sysfs_linux.cc",
      "native/powercap_file_linux.cc",
      "native/powercap_linux.cc",
      "native/powercap_words_linux.cc",
      "native/powercap_zone.cc",
      "native/quiet_thread_posix.cc",
      "native/sampler_thread_linux.cc",
      "native/text_file_linux.cc",
      "native/topology_linux.cc"
    ],
    "mac_sources": [
      "native/child_usage_posix.cc",
      "native/clock_mac.cc",
      "native/driver_log_posix.cc",
      "native/dynamic_library_posix.cc",
      "native/nvml_files_posix.cc",
      "native/nvml_pci_std.cc",
      "native/quiet_thread_posix.cc",
      "native/sampler_thread_std.cc"
    ],
    "win_sources": [
      "native/child_usage_win.cc",
      "native/clock_win.cc",
      "native/driver_log_win.cc",
      "native/dynamic_library_win.cc",
      "native/emi_device.cc",
      "native/emi_metadata.cc",
      "native/emi_places.cc",
      "native/emi_source.cc",
      "native/emi_win.cc",
      "native/nvml_files_win.cc",
      "native/nvml_pci_std.cc",
      "native/quiet_thread_win.cc",
      "native/sampler_thread_std.cc",
      "native/wide_text_win.cc"
    ],
    "win_mingw_sources": ["native/delay_load_win.cc"],
    "addon_sources": ["native/addon.cc", "native/addon_sampler.cc"]
  },
  "targets": [
    {
      "target_name": "microjoule",
      "sources": ["<@(core_sources)", "<@(addon_sources)"],
      "include_dirs": ["native", "<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": [
        "NAPI_VERSION=8",
        "NODE_ADDON_API_CPP_EXCEPTIONS",
        "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"
      ],
      "cflags_cc": ["-std=c++17", "-fvisibility=hidden", "-Wall", "-Wextra"],
      "cflags_cc!": ["-fno-exceptions", "-fno-rtti", "-std=gnu++17", "-std=gnu++20"],
      "msvs_settings": {
        "VCCLCompilerTool": { "ExceptionHandling": 1, "AdditionalOptions": ["/std:c++17"] }
      },
      "xcode_settings": {
        "GCC_ENABLE_CPP_EXCEPTIONS": "YES",
        "GCC_ENABLE_CPP_RTTI": "YES",
        "CLANG_CXX_LANGUAGE_STANDARD": "c++17",
        "MACOSX_DEPLOYMENT_TARGET": "11.0"
      },
      "conditions": [
        ["OS=='linux'", { "sources": ["<@(linux_sources)"], "libraries": ["-ldl", "-pthread"] }],
        ["OS=='mac'", { "sources": ["<@(mac_sources)"] }],
        ["OS=='win'", { "sources": ["<@(win_sources)"], "libraries": ["setupapi.lib"] }]
      ]
    }
  ]
}
