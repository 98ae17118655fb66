/** A device other than the processor, as its driver describes it. Asked for without loading any engine. */
export interface DeviceFacts {
  readonly name: string;
  /** Driver and its version, e.g. "NVIDIA 580.159.04" or "llvmpipe Mesa 22.3.6". */
  readonly driver: string;
  /** Memory of its own in MiB; null where the driver does not tell. */
  readonly memoryMiB: number | null;
  /** Free of that now; null where the driver does not tell. */
  readonly freeMiB: number | null;
  /** Computes on the processor: good for looking whether something works, never for how fast. */
  readonly software: boolean;
}

/** Devices in the order of their driver, or why there is none to be had. */
export type FoundDevices = { devices: readonly DeviceFacts[] } | { missing: string; mend: string };
