/** Runs one case on one side, and judges what came of it. */
import assert from 'node:assert/strict';
import type { Case, Deviation, Script, ListenerName, Side } from './case.ts';
import { expectedOutcome, knownDeviation } from './outcome.ts';
import type { Rig } from './rig.ts';
import { runCase } from './run.ts';

export interface Verdict {
  readonly one: Case;
  readonly side: Side;
  readonly listener: ListenerName;
  /** In words. */
  readonly expected: string;
  /** null for a pass. */
  readonly known: Deviation | null;
}

/** @throws Error where neither what is expected nor what is known came about */
export async function judge(rig: Rig, side: Side, listener: ListenerName, one: Case): Promise<Verdict> {
  const script = one.script();
  const right = expectedOutcome(one, script, side, listener);
  const known = knownDeviation(one, side, listener);
  const actual = await runCase(rig, side, listener, one, script);
  if (known === null) {
    assert.deepEqual(actual, right);
  } else {
    assert.notDeepEqual(actual, right, 'conforms now: remove its known deviation');
    assert.deepEqual(actual, { ...right, ...known.outcome });
  }
  return { one, side, listener, expected: inWords(one, script), known };
}

function inWords({ end }: Case, { messages, pongs }: Script): string {
  const parts: string[] = [];
  if (messages.length > 0) parts.push(`${counted(messages.length, 'message')} relayed`);
  if (pongs.length > 0) parts.push(counted(pongs.length, 'pong'));
  switch (end.kind) {
    case 'normal':
      parts.push('close 1000');
      break;
    case 'closed':
      parts.push(end.code === 1005 ? 'empty close relayed' : `close ${end.code} relayed`);
      break;
    case 'failed':
      parts.push(`failed with ${end.code}`);
  }
  return parts.join(', ');
}

function counted(count: number, noun: string): string {
  return count === 1 ? noun : `${count} ${noun}s`;
}
