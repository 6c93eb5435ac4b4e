/** Prepares the process for uWebSockets.js in the primary, which does not load it. */
import { existsSync, readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { dirname, join } from 'node:path';

/** Max bytes of a request head. uWS's own limit of 4096 is too small for real cookies. */
const MAX_HEAD_BYTES = 16 * 1024;
/** Directories of the binaries in the packages: uws-pack, and the official one. */
const BINARY_DIRECTORIES = ['dist/bin', '.'];
/** The version of Node's binary interface (`process.versions.modules`) that Node 22 has. */
const NODE_22_ABI = '127';

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

/** Why uWebSockets.js cannot be loaded. */
interface MissingBinary {
  readonly problem: string;
  /** What makes it loadable, in a few words. Null if nothing does on this machine. */
  readonly remedy: string | null;
}

/**
 * Returns why uWebSockets.js cannot be loaded, judged by its files. Null if it has a binary for this process.
 *
 * @param isMusl whether the process runs on musl. Called only on Linux
 */
export function missingBinary(
  { platform, arch, versions } = process,
  directory = packageDirectory(),
  isMusl = runsOnMusl,
): MissingBinary | null {
  if (directory === null) {
    return {
      problem: 'the package uWebSockets.js is not installed',
      remedy: 'install sluice without --omit=optional',
    };
  }
  const hasBinaryFor = (abi: string): boolean =>
    BINARY_DIRECTORIES.some((each) =>
      existsSync(join(directory, each, `uws_${platform}_${arch}_${abi}.node`)),
    );
  if (!hasBinaryFor(versions.modules) && !hasBinaryFor(NODE_22_ABI)) {
    return { problem: `uWebSockets.js has no binary for ${platform} ${arch}`, remedy: null };
  }
  if (platform === 'linux' && isMusl()) {
    return {
      problem: 'uWebSockets.js has no binary for musl (Alpine Linux)',
      remedy: 'use a Linux with glibc',
    };
  }
  if (hasBinaryFor(versions.modules)) return null;
  return {
    problem: `uWebSockets.js has no binary for Node ${versions.node} on ${platform} ${arch}`,
    remedy: 'use Node 22',
  };
}

/** Reports whether the C library of this process is musl, whose loader is then mapped. */
function runsOnMusl(): boolean {
  try {
    return readFileSync('/proc/self/maps', 'latin1').includes('/ld-musl-');
  } catch {
    return false;
  }
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
