/** Interprets the options of `sluice tap`. */
import { resolve } from 'node:path';
import { UsageError } from '../../core/errors.ts';
import { parseDuration } from '../../core/units/duration.ts';
import { TAP_FILTERS } from '../../protocol/admin/command-parameters.ts';
import type { TapFilter } from '../../protocol/tap.ts';
import { readPrintable } from '../../telemetry/output/printable.ts';
import type { CommandOptions } from '../arguments.ts';
import { RecordRedactor } from './record-redactor.ts';

export interface TapPlan {
  /** The recording to read instead of a live proxy, `-` for stdin. Null for a live proxy. */
  readonly from: string | null;
  /** The path of the tap, including its query. */
  readonly path: string;
  readonly filter: TapFilter;
  /** Applies the redaction rules. */
  readonly redactor: RecordRedactor;
  readonly output: TapOutput | null;
  readonly json: boolean;
  readonly hex: boolean;
  /** Null for no limit. */
  readonly durationMs: number | null;
  /** Null for no limit. */
  readonly frames: number | null;
}

export interface TapOutput {
  readonly file: string;
  readonly format: 'recording' | 'har';
  /** Whether to replace an existing file. */
  readonly force: boolean;
}

const HAR_NAME = /\.har$/i;
/** Options that the proxy applies, with the names of their parameters. */
const PARAMETERS = { sample: 'sample', 'max-payload': 'maxPayload' } as const;
/** Options for a live tap only. A recording already has the results of such options. */
const LIVE_ONLY = ['sample', 'payload', 'max-payload', 'duration'] as const;

/** @throws UsageError if options exclude each other, or if a redaction rule is not valid */
export function planOf({ flags, lists }: Pick<CommandOptions, 'flags' | 'lists'>): TapPlan {
  const redact = lists.get('redact') ?? [];
  const from = flags.get('from') ?? null;
  const live = LIVE_ONLY.find((name) => flags.has(name));
  if (from !== null && live !== undefined) {
    throw new UsageError(`--${live} is for a running sluice: leave it out with --from`);
  }
  if (flags.has('hex') && from === null && !flags.has('payload')) {
    throw new UsageError('--hex shows payloads: add --payload');
  }
  const output = flags.get('output');
  if (from !== null && output !== undefined && resolve(from) === resolve(output)) {
    throw new UsageError('--from and --output name the same file');
  }
  if (flags.has('force') && !flags.has('output')) throw new UsageError('--force is for --output FILE');
  const filter: Record<string, string> = {};
  for (const name of TAP_FILTERS) {
    const value = flags.get(name);
    if (value !== undefined) filter[name] = readPrintable(value);
  }
  const frames = flags.get('frames');
  const duration = flags.get('duration');
  return {
    from,
    path: pathOf(filter, flags, redact),
    filter,
    redactor: new RecordRedactor(redact),
    output: outputOf(flags),
    json: flags.has('json'),
    hex: flags.has('hex'),
    durationMs: duration === undefined ? null : (parseDuration(duration) ?? null),
    frames: frames === undefined ? null : Number(frames),
  };
}

function pathOf(
  filter: Readonly<Record<string, string>>,
  flags: CommandOptions['flags'],
  redact: readonly string[],
): string {
  const query = new URLSearchParams(filter);
  for (const [name, parameter] of Object.entries(PARAMETERS)) {
    const value = flags.get(name);
    if (value !== undefined) query.set(parameter, value);
  }
  if (flags.has('payload')) query.set('payload', 'true');
  for (const rule of redact) query.append('redact', rule);
  return query.size === 0 ? '/tap' : `/tap?${query.toString()}`;
}

function outputOf(flags: CommandOptions['flags']): TapOutput | null {
  const file = flags.get('output');
  if (file === undefined) return null;
  return { file, format: HAR_NAME.test(file) ? 'har' : 'recording', force: flags.has('force') };
}
