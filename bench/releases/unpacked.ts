import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StartError } from '../../src/core/errors.ts';
import { run } from './apt.ts';

/** Debian's library directory and the name of the dynamic linker, for one of Node's architectures. */
interface Architecture {
  readonly libraries: string;
  readonly loader: string;
}

const ARCHITECTURES: Readonly<Record<string, Architecture>> = {
  x64: { libraries: 'usr/lib/x86_64-linux-gnu', loader: 'ld-linux-x86-64.so.2' },
  arm64: { libraries: 'usr/lib/aarch64-linux-gnu', loader: 'ld-linux-aarch64.so.1' },
};

/** Programs from unpacked packages. They run with the C library and the other libraries of these packages. */
export class Unpacked {
  readonly #directory: string;
  readonly #root: string;
  readonly #architecture: Architecture;

  /**
   * @param directory gets `root/` with the files, and `bin/` with the programs to start
   * @throws StartError if the architecture is unknown
   */
  constructor(directory: string) {
    const architecture = ARCHITECTURES[process.arch];
    if (architecture === undefined) {
      throw new StartError(
        `it is for ${Object.keys(ARCHITECTURES).join(' and ')}, and this is ${process.arch}`,
      );
    }
    this.#architecture = architecture;
    this.#directory = directory;
    this.#root = join(directory, 'root');
  }

  /** Unpacks packages without running their scripts. */
  add(files: readonly string[]): void {
    mkdirSync(this.#root, { recursive: true });
    for (const file of files) run('dpkg-deb', ['--extract', file, this.#root]);
  }

  /**
   * Creates a script that starts a program of the packages.
   *
   * @returns the path of the script
   * @throws StartError if no package has the program
   */
  expose(name: string): string {
    const found = ['usr/sbin', 'usr/bin'].map((path) => join(this.#root, path, name)).find(existsSync);
    if (found === undefined) throw new StartError(`no package has ${name}`);
    const libraries = join(this.#root, this.#architecture.libraries);
    const loader = join(libraries, this.#architecture.loader);
    // A static program needs no loader.
    const isDynamic = spawnSync(loader, ['--verify', found]).status === 0;
    // `--argv0`: HAProxy restarts itself by argv[0], which must be this script.
    const start = isDynamic
      ? `'${loader}' --library-path '${libraries}' --argv0 "$0" '${found}'`
      : `'${found}'`;
    const path = join(this.#directory, 'bin', name);
    mkdirSync(join(this.#directory, 'bin'), { recursive: true });
    writeFileSync(path, `#!/bin/sh\nexec ${start} "$@"\n`);
    chmodSync(path, 0o755);
    return path;
  }
}
