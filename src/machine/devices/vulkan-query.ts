import koffi from 'koffi';
import type { DeviceFacts } from './device.ts';

/**
 * `node vulkan-query.js`: prints the physical devices of the Vulkan loader as JSON. A program of its own, for a driver
 * stays in the process that asked it, and a broken one takes that process with it.
 *
 * Offsets follow vulkan_core.h for 64-bit platforms.
 */
const LOADERS: Partial<Record<NodeJS.Platform, string>> = {
  linux: 'libvulkan.so.1',
  win32: 'vulkan-1.dll',
  darwin: 'libvulkan.1.dylib',
};
const VERSION_1_2 = (1 << 22) | (2 << 12);
const TYPE = { application: 0, instance: 1, properties2: 1000059001, driver: 1000196000 } as const;
const SIZE = { application: 48, instance: 64, properties2: 16 + 824, driver: 536, memory: 520 } as const;
const CPU_DEVICE = 4;
const DEVICE_LOCAL = 1;

const block = (size: number) => new DataView(new ArrayBuffer(size));
const textAt = (view: DataView, offset: number, most = 256): string => {
  const bytes = Buffer.from(view.buffer, offset, most);
  return bytes.subarray(0, bytes.indexOf(0)).toString('utf8');
};

function query(): DeviceFacts[] {
  const vulkan = koffi.load(LOADERS[process.platform] ?? 'libvulkan.so.1');
  const create = vulkan.func('vkCreateInstance', 'int', ['void *', 'void *', 'void *']);
  const list = vulkan.func('vkEnumeratePhysicalDevices', 'int', ['void *', 'void *', 'void *']);
  const properties = vulkan.func('vkGetPhysicalDeviceProperties2', 'void', ['void *', 'void *']);
  const memory = vulkan.func('vkGetPhysicalDeviceMemoryProperties', 'void', ['void *', 'void *']);

  const application = block(SIZE.application);
  application.setUint32(0, TYPE.application, true);
  application.setUint32(44, VERSION_1_2, true);
  const info = block(SIZE.instance);
  info.setUint32(0, TYPE.instance, true);
  info.setBigUint64(24, koffi.address(application), true);
  const instance = block(8);
  const created = create(info, null, instance) as number;
  if (created !== 0) throw new Error(`no Vulkan driver accepts an instance (VkResult ${created})`);
  const handle = instance.getBigUint64(0, true);

  const count = block(4);
  list(handle, count, null);
  const found = count.getUint32(0, true);
  const handles = block(Math.max(1, found) * 8);
  list(handle, count, handles);
  return Array.from({ length: found }, (_, i) => {
    const device = handles.getBigUint64(i * 8, true);
    const driver = block(SIZE.driver);
    driver.setUint32(0, TYPE.driver, true);
    const asked = block(SIZE.properties2);
    asked.setUint32(0, TYPE.properties2, true);
    asked.setBigUint64(8, koffi.address(driver), true);
    properties(device, asked);
    const heaps = block(SIZE.memory);
    memory(device, heaps);
    const software = asked.getUint32(16 + 16, true) === CPU_DEVICE;
    return {
      name: textAt(asked, 16 + 20),
      driver: `${textAt(driver, 20)} ${textAt(driver, 276)}`.trim(),
      // A processor's memory is the machine's, which is planned with anyway.
      memoryMiB: software ? null : localMiB(heaps),
      freeMiB: null,
      software,
    };
  });
}

function localMiB(heaps: DataView): number | null {
  let bytes = 0;
  for (let i = 0; i < heaps.getUint32(260, true); i++) {
    const offset = 264 + i * 16;
    if (heaps.getUint32(offset + 8, true) & DEVICE_LOCAL) bytes += Number(heaps.getBigUint64(offset, true));
  }
  return bytes === 0 ? null : Math.round(bytes / 2 ** 20);
}

process.stdout.write(JSON.stringify(query()));
