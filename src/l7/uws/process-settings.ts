/** Prepares the process for uWebSockets.js in the primary, which does not load it. */
import { existsSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { dirname, join } from 'node:path';

/** Max bytes of a request head. uWS's own limit of 4096 is too small for real cookies. */
const MAX_HEAD_BYTES = 16 * 1024;
/** Directories of the binaries in the packages: uws-pack, and the official one. */
const BINARY_DIRECTORIES = ['dist/bin', '.'];

/**
 * Sets the environment variable that limits request heads in uWS. uWS 20.66 to 20.68 has no other setting for
 * that (no upstream issue known). Needed until an App has one.
 *
 * Must be called in the main thread before any thread loads uWS: a worker thread's environment is a copy,
 * which uWS does not read. A value set by the operator is kept.
 */
export function limitRequestHeads(): void {
  process.env.UWS_HTTP_MAX_HEADERS_SIZE ??= String(MAX_HEAD_BYTES);
}

/**
 * Returns why uWebSockets.js cannot be loaded, judged by its files. Null if it has a binary for this process.
 */
export function missingBinary(
  { platform, arch, versions } = process,
  directory = packageDirectory(),
): string | null {
  if (directory === null) return 'the package uWebSockets.js is not installed';
  const name = `uws_${platform}_${arch}_${versions.modules}.node`;
  if (BINARY_DIRECTORIES.some((each) => existsSync(join(directory, each, name)))) return null;
  return `uWebSockets.js has no binary for Node ${versions.node} on ${platform} ${arch}`;
}

/** Returns the directory of the package, null if it is not installed. */
function packageDirectory(): string | null {
  try {
    const manifest = findPackageJSON('uWebSockets.js', import.meta.url);
    return manifest === undefined ? null : dirname(manifest);
  } catch {
    return null;
  }
}
