import type { Mode } from '../peers/peer.ts';
import type { Summary } from './summary.ts';

/** Everything that a comparison has found. */
export interface Comparison {
  readonly date: string;
  readonly machine: string;
  /** Of the ways that were compared, by name; that of `direct` is empty. */
  readonly versions: Readonly<Record<string, string>>;
  /** Peers that are not installed. */
  readonly missing: readonly string[];
  readonly rounds: number;
  readonly durationMs: number;
  readonly pinned: boolean;
  readonly cases: readonly CaseResult[];
  readonly idle: readonly IdleResult[];
}

export interface CaseResult {
  readonly name: string;
  /** By way. */
  readonly ways: Readonly<Record<string, Summary>>;
}

export interface IdleResult {
  readonly mode: Mode;
  /** Bytes for each idle connection, by way. */
  readonly bytes: Readonly<Record<string, number>>;
}
