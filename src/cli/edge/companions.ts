/** The files beside a configuration: the admin token, and the schema for editors. */
import { randomBytes } from 'node:crypto';
import { existsSync, lstatSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readRegularFile } from '../../config/syntax/files.ts';
import { createFile, replaceFile } from './new-file.ts';

const TOKEN_FILE = 'admin.token';
const TOKEN_BYTES = 24;
/** Only the owner may read the token. */
const PRIVATE_MODE = 0o600;
/** Permissions of group and others. */
const OTHERS = 0o077;
/** Purpose of the schema, for a person. */
const SCHEMA_NEWS = 'the schema for your editor';
/** The umask decides. */
const PUBLIC_MODE = 0o666;
const SCHEMA_FILE = 'sluice.schema.json';
/** The schema of a project that depends on sluice: `npm update` renews it. */
const PROJECT_SCHEMA = 'node_modules/sluice/config/schema.json';
const MAX_SCHEMA_BYTES = 16 * 1024 * 1024;

/** A file that the configuration may name. */
export interface Companion {
  /** The file, seen from the configuration. */
  readonly name: string;
  /** Whether the configuration names the file. */
  readonly isNamed: boolean;
  /** Whether the file existed before, and is used as it is. */
  readonly isOlder: boolean;
  /** What happened to the file, for a person. */
  readonly news: string;
}

/** Writes files into one folder, and can remove those that did not exist before. */
export class Companions {
  readonly #folder: string;
  readonly #created: string[] = [];

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Makes a token. An existing file keeps its token: another configuration may name it. */
  token(): Companion {
    const file = join(this.#folder, TOKEN_FILE);
    const found = statSync(file, { throwIfNoEntry: false });
    if (found === undefined) {
      this.#create(file, `${randomBytes(TOKEN_BYTES).toString('hex')}\n`, PRIVATE_MODE);
      const news = 'the token of the admin address: readable by you only';
      return { name: TOKEN_FILE, isNamed: true, isOlder: false, news };
    }
    const isPrivate = (found.mode & OTHERS) === 0;
    const news = `existed before: its token is used${isPrivate ? '' : '. Others can read it: chmod 600'}`;
    return { name: TOKEN_FILE, isNamed: true, isOlder: true, news };
  }

  /**
   * Finds the schema of the project, or writes one. Replaces the schema of another version of sluice, and no
   * other file. A link stays as it is.
   *
   * @param source the schema of this version
   */
  schema(source: URL): Companion {
    if (existsSync(join(this.#folder, PROJECT_SCHEMA))) {
      return { name: PROJECT_SCHEMA, isNamed: true, isOlder: true, news: SCHEMA_NEWS };
    }
    const file = join(this.#folder, SCHEMA_FILE);
    const text = readFileSync(source, 'utf8');
    const found = lstatSync(file, { throwIfNoEntry: false });
    const isOlder = found !== undefined;
    if (found === undefined) {
      this.#create(file, text, PUBLIC_MODE);
    } else if (titleIn(file) !== titleOf(text)) {
      const news = 'existed before, and is no schema of sluice: not used';
      return { name: SCHEMA_FILE, isNamed: false, isOlder, news };
    } else if (found.isFile()) {
      replaceFile({ file, text, mode: PUBLIC_MODE });
    }
    return { name: SCHEMA_FILE, isNamed: true, isOlder, news: SCHEMA_NEWS };
  }

  /** Removes what was written. */
  remove(): void {
    for (const file of this.#created) rmSync(file, { force: true });
  }

  #create(file: string, text: string, mode: number): void {
    createFile({ file, text, mode });
    this.#created.push(file);
  }
}

function titleIn(file: string): unknown {
  try {
    return titleOf(readRegularFile(file, MAX_SCHEMA_BYTES).toString('utf8'));
  } catch {
    return null;
  }
}

function titleOf(schema: string): unknown {
  return (JSON.parse(schema) as { title?: unknown }).title;
}
