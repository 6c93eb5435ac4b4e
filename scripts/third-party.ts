/** The licences of the packages that a build contains: `dist/THIRD-PARTY.txt`. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';

/** Matches the folder of a package in the path of one of its files. */
const PACKAGE_FOLDER = /^.*\/?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/;
const LICENCE_FILE = /^(?:licen[cs]e|copying|notice)\b/i;
/**
 * Licence files of packages that npm publishes without one, from their repositories: `@scope+name.txt`.
 * https://github.com/redis/node-redis/blob/master/LICENSE
 */
const LICENCES = 'scripts/licences';
const HEADING =
  'sluice itself has the licence in LICENSE. The files of this folder also contain code of these packages:';
const RULE = '-'.repeat(80);

interface ThirdParty {
  /** Name and version: `ws 8.23.0`. */
  readonly name: string;
  /** The SPDX expression of package.json. */
  readonly licence: string;
  /** Text of the licence file, and of the notice if there is one. */
  readonly text: string;
}

/** Returns the folders of the packages whose code a build contains, relative to the root. */
export function packageFolders({ outputs }: Metafile): string[] {
  const folders = Object.values(outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([file, { bytesInOutput }]) =>
      bytesInOutput > 0 ? (PACKAGE_FOLDER.exec(file) ?? []) : [],
    ),
  );
  return [...new Set(folders)];
}

/**
 * Returns the text of the file: names, versions and licences of packages.
 *
 * @param root directory of sluice's package
 * @param folders folders of the packages, relative to the root
 * @throws Error for a package without the text of its licence: sluice must not contain it
 */
export function thirdPartyText(root: string, folders: Iterable<string>): string {
  const parties = Array.from(new Set(folders), (folder) => readParty(root, folder));
  const byText = Map.groupBy(parties, ({ text }) => text);
  const sections = Array.from(byText, ([text, owners]) => {
    const names = owners.map(({ name, licence }) => `${name} (${licence})`).sort();
    return `${names.join('\n')}\n\n${text}\n`;
  });
  return [`${HEADING}\n`, ...sections.sort()].join(`${RULE}\n`);
}

function readParty(root: string, folder: string): ThirdParty {
  const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as {
    readonly name: string;
    readonly version: string;
    readonly license?: string;
  };
  const files = licenceFiles(root, folder, name);
  if (license === undefined || files.length === 0) {
    throw new Error(
      `${folder} has no licence: copy its repository's into ${LICENCES}/${licenceName(name)}, or make ${name} ` +
        'a dependency in package.json, so that the build leaves it out',
    );
  }
  const texts = files.map((file) => readFileSync(file, 'utf8').trim());
  return { name: `${name} ${version}`, licence: license, text: texts.join('\n\n').replace(/\r\n/g, '\n') };
}

function licenceFiles(root: string, folder: string, name: string): string[] {
  const own = readdirSync(join(root, folder)).filter((file) => LICENCE_FILE.test(file));
  if (own.length > 0) return own.sort().map((file) => join(root, folder, file));
  const copy = join(root, LICENCES, licenceName(name));
  return existsSync(copy) ? [copy] : [];
}

function licenceName(name: string): string {
  return `${name.replace('/', '+')}.txt`;
}
