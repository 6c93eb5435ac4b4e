import { createReadStream } from 'node:fs';
import { StartError, UsageError, messageOf } from '../../src/core/errors.ts';
import { MAX_RULES, parseRedactionRule } from '../../src/core/redaction/redaction-rule.ts';
import { RecordingReader } from '../../src/wire/recording/recording-reader.ts';
import type { TapRecord } from '../../src/wire/recording/records.ts';
import { compileRedaction, type Redaction } from '../../src/wire/redaction/redaction.ts';
import type { Plan, ReplayOptions } from '../options/plan.ts';
import { ClientCollector } from './client-collector.ts';
import type { RecordedClients } from './recorded-clients.ts';

/** Max rules of a recording: the rules of the proxy's configuration, and the rules of its tap. */
const MAX_RECORDED_RULES = 2 * MAX_RULES;

/** A run that plays a recording. */
export interface Replay {
  readonly plan: Plan;
  readonly recorded: RecordedClients;
}

/**
 * Collects a recording's clients, and completes the plan with them.
 *
 * @throws UsageError or StartError in one line if the recording cannot be played
 */
export async function prepareReplay(
  plan: Plan,
  options: ReplayOptions,
  records: AsyncIterable<TapRecord> | Iterable<TapRecord>,
): Promise<Replay> {
  const collector = new ClientCollector(options.expect, compileOwn(options));
  for await (const record of records) collector.add(record);
  const recorded = collector.finish();
  const { facts, redact } = recorded;
  if (facts.clients === 0) {
    const attached = facts.attached === 0 ? '' : `, but ${facts.attached} that were open before the tap`;
    throw new StartError(`${options.file}: there is no session with its handshake in it${attached}`);
  }
  checkRules(options.file, redact);
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
 * Reads the records of a file. Omits an incomplete last line.
 *
 * @throws StartError in one line that says where reading failed
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

/** Compiles the rules of the command line. @throws UsageError if one is invalid */
function compileOwn({ redact, expect }: ReplayOptions): Redaction {
  if (redact.length > 0 && expect !== 'same') {
    throw new UsageError('--redact needs --expect same: nothing is compared otherwise');
  }
  return compile(redact, MAX_RULES, (rule, fault) => new UsageError(`--redact ${rule}: ${fault}`));
}

/**
 * Checks the rules of a recording before the driver threads compile them.
 *
 * @throws StartError if one is invalid
 */
function checkRules(file: string, rules: readonly string[]): void {
  compile(
    rules,
    MAX_RECORDED_RULES,
    (rule, fault) => new StartError(`${file}: its rule of redaction ${rule}: ${fault}`),
  );
}

function compile(
  rules: readonly string[],
  max: number,
  failure: (rule: string, fault: string) => Error,
): Redaction {
  if (rules.length > max)
    throw failure(rules[max]!, `there are ${rules.length} rules, and ${max} are allowed`);
  for (const rule of rules) {
    try {
      parseRedactionRule(rule);
    } catch (error) {
      throw failure(JSON.stringify(rule.slice(0, 100)), messageOf(error));
    }
  }
  return compileRedaction(rules);
}
