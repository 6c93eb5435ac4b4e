/** Errors that sluice throws on purpose, worded for people to act on. Any other error is a bug in sluice. */

import type { TcpAddress } from './address.ts';

/** A bad command line: exit status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A problem in the configuration: its place, and the remedy. */
export interface ConfigProblem {
  /** `file:line:column`, `--set path` or `environment NAME`. */
  readonly place: string;
  readonly message: string;
}

/** An unusable configuration. Lists all problems in the order of the file. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly ConfigProblem[];
  /** Absolute paths of the configuration's files that were found before the error. */
  readonly files: readonly string[];
  /** Settings that are valid but probably not intended. One can be the cause of an error. */
  readonly warnings: readonly ConfigProblem[];

  constructor(
    problems: readonly ConfigProblem[],
    files: readonly string[] = [],
    warnings: readonly ConfigProblem[] = [],
  ) {
    super(problems.map((problem) => `${problem.place}: ${problem.message}`).join('\n'));
    this.problems = problems;
    this.files = files;
    this.warnings = warnings;
  }
}

/**
 * The process cannot start or continue, for example because an address is in use: one line, exit status 1.
 */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/** An address that this process cannot listen on. Its cause is the error of the system. */
export class ListenError extends StartError {
  /** The setting with the address: `admin.address`. */
  readonly setting: string;
  readonly address: TcpAddress;

  constructor(message: string, setting: string, address: TcpAddress, cause: unknown) {
    super(message, { cause });
    this.setting = setting;
    this.address = address;
  }
}

/** Returns the message of a thrown value. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Returns the code of a thrown value, such as `ECONNREFUSED`; empty if it has none. */
export function codeOf(thrown: unknown): string {
  if (thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string') return thrown.code;
  return '';
}
