/** What the primary does for the engine, which it does not load. */
import { existsSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { dirname, join } from 'node:path';

/** Max bytes of a request's head. uWS's own limit of 4096 is too small for real cookies. */
const MAX_HEAD_BYTES = 16 * 1024;

/**
 * Sets the environment variable from which uWS takes its limit of a request's head. uWS 20.66 to 20.68 has no other setting
 * (no upstream issue known). This can go when an App has one.
 *
 * To be called in the main thread before any thread loads uWS: the environment of a worker thread is a copy, which uWS does
 * not read. A value that the operator has set stays.
 */
export function limitRequestHeads(): void {
  process.env.UWS_HTTP_MAX_HEADERS_SIZE ??= String(MAX_HEAD_BYTES);
}

/** Returns why uWebSockets.js cannot be loaded, as far as its files tell; null if it has a binary for this process. */
export function missingBinary({ platform, arch, versions } = process): string | null {
  const name = `uws_${platform}_${arch}_${versions.modules}.node`;
  try {
    const manifest = findPackageJSON('uWebSockets.js', import.meta.url);
    if (manifest !== undefined && existsSync(join(dirname(manifest), 'dist', 'bin', name))) return null;
  } catch {
    return 'the package uWebSockets.js is not installed';
  }
  return `uWebSockets.js has no binary for Node ${versions.node} on ${platform} ${arch}`;
}
