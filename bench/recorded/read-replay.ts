import { createReadStream } from 'node:fs';
import { StartError, messageOf } from '../../src/core/errors.ts';
import { RecordingReader } from '../../src/wire/recording/recording-reader.ts';
import type { TapRecord } from '../../src/wire/recording/records.ts';
import type { Plan, ReplayOptions } from '../options/plan.ts';
import { ClientCollector } from './client-collector.ts';
import type { RecordedClients } from './recorded-clients.ts';

/** A run that plays a recording. */
export interface Replay {
  readonly plan: Plan;
  readonly recorded: RecordedClients;
}

/**
 * Collects a recording's clients, and completes the plan by them.
 *
 * @throws UsageError or StartError in one line if the recording cannot be played
 */
export async function prepareReplay(
  plan: Plan,
  options: ReplayOptions,
  records: AsyncIterable<TapRecord> | Iterable<TapRecord>,
): Promise<Replay> {
  const collector = new ClientCollector(options.expect);
  for await (const record of records) collector.add(record);
  const recorded = collector.finish();
  const { facts, redact } = recorded;
  if (facts.clients === 0) {
    const attached = facts.attached === 0 ? '' : `, but ${facts.attached} that were open before the tap`;
    throw new StartError(`${options.file}: there is no session with its handshake in it${attached}`);
  }
  const connections = options.connections ?? facts.clients;
  const { file, speed, expect } = options;
  return {
    plan: {
      ...plan,
      connections,
      threads: Math.min(connections, options.workers),
      replay: { file, speed, expect, redact: [...redact, ...options.redact], facts },
    },
    recorded,
  };
}

/**
 * Reads the records of a file. A last line that was cut is left out.
 *
 * @throws StartError in one line with the place of what cannot be read
 */
export async function* readRecords(file: string): AsyncGenerator<TapRecord> {
  const reader = new RecordingReader();
  try {
    for await (const piece of createReadStream(file)) {
      for (const { record } of reader.push(piece as Uint8Array)) if (record !== null) yield record;
    }
    const last = reader.end()?.record ?? null;
    if (last !== null) yield last;
  } catch (error) {
    throw new StartError(`${file}: ${messageOf(error)}`, { cause: error });
  }
}
