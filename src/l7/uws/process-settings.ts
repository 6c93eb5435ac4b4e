/** What the primary does for the engine, which it does not load. */
import { existsSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { dirname, join } from 'node:path';

/** Max bytes of a request's head. uWS's own limit of 4096 is too small for real cookies. */
const MAX_HEAD_BYTES = 16 * 1024;
/** Where the packages keep their binaries: uws-pack, and the official one. */
const BINARY_DIRECTORIES = ['dist/bin', '.'];

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
export function missingBinary(
  { platform, arch, versions } = process,
  directory = packageDirectory(),
): string | null {
  if (directory === null) return 'the package uWebSockets.js is not installed';
  const name = `uws_${platform}_${arch}_${versions.modules}.node`;
  if (BINARY_DIRECTORIES.some((each) => existsSync(join(directory, each, name)))) return null;
  return `uWebSockets.js has no binary for Node ${versions.node} on ${platform} ${arch}`;
}

/** Returns the directory of the package; null if it is not installed. */
function packageDirectory(): string | null {
  try {
    const manifest = findPackageJSON('uWebSockets.js', import.meta.url);
    return manifest === undefined ? null : dirname(manifest);
  } catch {
    return null;
  }
}
