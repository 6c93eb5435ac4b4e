/**
 * What went wrong, in a form that a person can act on. Every error that sluice raises on purpose is one of
 * these; anything else that is thrown is a fault in sluice.
 */

/** The command line is not understood: exit status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Where in the configuration a problem stands, and what would be right. */
export interface ConfigProblem {
  /** `file:line:column`, `--set path` or `environment NAME`. */
  readonly place: string;
  readonly message: string;
}

/** The configuration cannot be used: every problem found, in the order of the file. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly ConfigProblem[];
  /** Absolute paths of the files that it would have been made of, as far as it got. */
  readonly files: readonly string[];

  constructor(problems: readonly ConfigProblem[], files: readonly string[] = []) {
    super(problems.map((problem) => `${problem.place}: ${problem.message}`).join('\n'));
    this.problems = problems;
    this.files = files;
  }
}

/** The process cannot start or go on (address taken, worker that never listens): one line, exit status 1. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The system error name of anything that was thrown (`ECONNREFUSED`), or an empty string. */
export function codeOf(thrown: unknown): string {
  if (thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string') return thrown.code;
  return '';
}
