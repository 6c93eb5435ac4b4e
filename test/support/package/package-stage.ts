/** sluice packed as npm publishes it, and clean projects that install it. */
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../processes/program.ts';
import { succeed, type NpmPlace } from './npm.ts';

const INSTALL = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--no-update-notifier'];
const BYTES_PER_BLOCK = 512;

/** A folder in which npm has installed sluice. */
export interface Project extends NpmPlace {
  /** Path of the command `sluice`. */
  readonly sluice: string;
  /** What npm wrote to stderr. */
  readonly warnings: string;
}

export class PackageStage {
  /** A temporary folder for projects. */
  readonly folder: string;
  /** The packed sluice. */
  readonly tarball: string;

  private constructor(folder: string, tarball: string) {
    this.folder = folder;
    this.tarball = tarball;
  }

  /** Packs `dist` as it is: `npm run build` comes first. */
  static async pack(): Promise<PackageStage> {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-package-'));
    const place = { folder: ROOT, node: process.execPath };
    await succeed(place, 'npm', 'pack', '--ignore-scripts', '--pack-destination', folder);
    const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'));
    if (tarball === undefined) throw new Error('npm pack wrote no tarball');
    return new PackageStage(folder, join(folder, tarball));
  }

  /** Makes a project of a user and installs sluice into it. @param manifest more of its package.json */
  async install(
    name: string,
    {
      node = process.execPath,
      options = [],
      manifest = {},
    }: { readonly node?: string; readonly options?: readonly string[]; readonly manifest?: object } = {},
  ): Promise<Project> {
    const place = { folder: join(this.folder, name), node };
    mkdirSync(place.folder);
    writeFileSync(join(place.folder, 'package.json'), JSON.stringify({ private: true, ...manifest }));
    const { stderr } = await succeed(place, 'npm', ...INSTALL, ...options, this.tarball);
    return { ...place, sluice: join(place.folder, 'node_modules/.bin/sluice'), warnings: stderr };
  }

  /** Installs the command for all users of a machine, as it were: below another prefix. */
  async installGlobally(name: string, node = process.execPath): Promise<Project> {
    const place = { folder: join(this.folder, name), node };
    mkdirSync(place.folder);
    const options = ['--global', '--prefix', place.folder];
    const { stderr } = await succeed(place, 'npm', ...INSTALL, ...options, this.tarball);
    return { ...place, sluice: join(place.folder, 'bin/sluice'), warnings: stderr };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}

/** Returns the bytes of a folder: by the lengths of its files, and on the disk as `du` counts them. */
export function sizesOf(folder: string): { lengths: number; disk: number } {
  const { size, blocks } = lstatSync(folder);
  const sum = { lengths: size, disk: blocks * BYTES_PER_BLOCK };
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    const stat = lstatSync(path);
    const { lengths, disk } = entry.isDirectory()
      ? sizesOf(path)
      : { lengths: stat.size, disk: stat.blocks * BYTES_PER_BLOCK };
    sum.lengths += lengths;
    sum.disk += disk;
  }
  return sum;
}
