/** `sluice tap`: shows and records the frames of a running sluice, or replays a recording. */
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { addAbortSignal } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { StartError, messageOf } from '../../../core/errors.ts';
import { printable } from '../../../telemetry/output/printable.ts';
import type { HeaderRecord } from '../../../wire/recording/records.ts';
import { AdminClient } from '../../admin-client.ts';
import type { CommandOptions } from '../../arguments.ts';
import { ConsoleSink } from '../../tap/console-sink.ts';
import { TapCounts } from '../../tap/counts.ts';
import { LEGEND, headingOf } from '../../tap/heading.ts';
import { showProgress } from '../../tap/progress.ts';
import { RecordingFilter } from '../../tap/recording-filter.ts';
import { isNarrow } from '../../tap/record-text.ts';
import { TapEnding } from '../../tap/tap-ending.ts';
import { planOf, type TapPlan } from '../../tap/tap-options.ts';
import { openOutput, type OpenOutput } from '../../tap/tap-output.ts';
import { readTap, type StreamEnd } from '../../tap/tap-stream.ts';

/** Max time that the exit waits for a stalled reader of stdout. */
const LEAVE_MS = 1000;

/**
 * Why the command ended: by the user's choice, the end of the stream, or an error of the stream or a file.
 */
type TapEnd = StreamEnd | { readonly kind: 'told' } | { readonly kind: 'failed'; readonly reason: string };

/**
 * Shows or records frames. Ends with the stream, on a signal, after `--duration` or after `--frames`.
 *
 * @returns the exit status: see `sluice tap --help`
 * @throws UsageError if options exclude each other, StartError if the tap is refused or a file cannot be
 * opened
 */
export async function run(options: CommandOptions): Promise<number> {
  const plan = planOf(options);
  const client = plan.from === null ? new AdminClient(options) : null;
  const output = plan.output === null ? null : await openOutput(plan.output, plan.from);
  const ending = new TapEnding(process, process.stdout);
  try {
    const stream = await openStream(plan, client, ending.signal);
    if (stream === null) return ending.status;
    return await watch(stream, { plan, output, ending, env: options.env });
  } finally {
    ending.close();
    if (output?.isEmpty === true) await output.abandon();
  }
}

interface Watch {
  readonly plan: TapPlan;
  readonly output: OpenOutput | null;
  readonly ending: TapEnding;
  readonly env: CommandOptions['env'];
}

/** @returns null if the command ended before the stream began */
async function openStream(
  { from, path }: TapPlan,
  client: AdminClient | null,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array> | null> {
  try {
    if (client !== null) return await client.tap(path, signal);
    if (from === null || from === '-') return addAbortSignal(signal, process.stdin);
    return (await open(from)).createReadStream({ signal });
  } catch (error) {
    if (signal.aborted) return null;
    if (error instanceof StartError) throw error;
    throw new StartError(`cannot read ${from ?? 'the tap'}: ${messageOf(error)}`, { cause: error });
  }
}

async function watch(stream: AsyncIterable<Uint8Array>, run: Watch): Promise<number> {
  const { plan, output, ending } = run;
  const counts = new TapCounts();
  if (plan.durationMs !== null) ending.after(plan.durationMs);
  const hasProgress = output !== null && !plan.json;
  const endProgress = hasProgress ? showProgress(counts, process.stderr) : () => undefined;
  const end = await follow(stream, run, counts).finally(endProgress);
  const { status } = ending;
  const signal = ending.again();
  const recorded = output === null || output.isEmpty ? null : await output.finish(signal);
  const parts = [reasonOf(end, plan), counts.text(), recorded].filter((part) => part !== null);
  say(parts.join('; '));
  if (end.kind !== 'told') return statusOf(end, plan);
  await leave(status);
  return status;
}

async function follow(
  stream: AsyncIterable<Uint8Array>,
  { plan, output, ending, env }: Watch,
  counts: TapCounts,
): Promise<TapEnd> {
  const { json, hex } = plan;
  const { signal } = ending;
  const onHeader = (header: HeaderRecord): void => {
    say(headingOf(header, plan.from === null));
    if (output === null && !json && process.stdout.isTTY && isNarrow(process.stdout.columns)) say(LEGEND);
  };
  // Frames that are recorded are not also shown.
  const isShown = output === null || json;
  const sinks = [
    ...(output === null ? [] : [output.sink]),
    ...(isShown ? [new ConsoleSink(process.stdout, { json, hex, env, signal })] : []),
  ];
  // The proxy already filters and redacts live lines. A recording is filtered and redacted here.
  const filter = new RecordingFilter(plan.from === null ? {} : plan.filter);
  const redactor = plan.from === null ? null : plan.redactor;
  try {
    return await readTap(stream, { filter, redactor, counts, sinks, maxFrames: plan.frames, onHeader });
  } catch (error) {
    return signal.aborted ? { kind: 'told' } : { kind: 'failed', reason: messageOf(error) };
  }
}

/** Returns why the command ends. Null if the user knows the reason. */
function reasonOf(end: TapEnd, { from }: TapPlan): string | null {
  switch (end.kind) {
    case 'told':
    case 'frames':
      return null;
    case 'done':
      return `the proxy ended the tap: ${end.reason}`;
    case 'failed':
      return end.reason;
    case 'end':
      if (from === null) return 'the proxy closed the connection';
      return end.cut ? 'the recording ends within a line' : null;
  }
}

function statusOf(end: StreamEnd | { readonly kind: 'failed' }, { from }: TapPlan): number {
  switch (end.kind) {
    case 'frames':
      return 0;
    case 'failed':
      return 1;
    case 'done':
    case 'end':
      return from === null ? 1 : 0;
  }
}

/** Prints a notice on stderr, because stdout carries the frames. */
function say(line: string): void {
  process.stderr.write(`${printable(line)}\n`);
}

/** Exits even if the reader of stdout is stalled. */
async function leave(status: number): Promise<void> {
  if (process.stdout.writableLength === 0) return;
  const read = once(process.stdout, 'drain').then(
    () => true,
    () => true,
  );
  const isRead = await Promise.race([read, delay(LEAVE_MS, false, { ref: false })]);
  if (!isRead) process.exit(status);
}
