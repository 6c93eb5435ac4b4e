/** Converts a recording to an HTTP Archive in bounded memory. */
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { version } from '../../../core/version.ts';
import type { RecordLine } from '../../../wire/recording/recording-reader.ts';
import type { EndRecord, SessionRecord, TapRecord } from '../../../wire/recording/records.ts';
import { TapCounts } from '../counts.ts';
import { PRIVATE_MODE } from '../recording-file.ts';
import { RecordingFilter } from '../recording-filter.ts';
import { readTap, type TapSink } from '../tap-stream.ts';
import { MessageMaker, headOf, startOf, tailOf } from './har-entry.ts';
import { SessionSpool } from './session-spool.ts';

/** Characters per write. */
const BATCH_CHARACTERS = 256 * 1024;

export interface HarResult {
  /** Number of messages whose payload is missing or partial. */
  readonly incomplete: number;
  /** Number of tunnels, which the archive format does not support. */
  readonly tunnels: number;
}

/**
 * Writes the sessions of a recording as an archive: one entry per session, with all its messages.
 *
 * @param recording path of the recording
 * @param target path of the new file, which must not exist
 * @param signal aborts the work
 */
export async function writeHar(recording: string, target: string, signal: AbortSignal): Promise<HarResult> {
  const spool = new SessionSpool(`${target}.sorted-${process.pid}`);
  try {
    const counts = new TapCounts();
    await readTap(createReadStream(recording, { signal }), {
      filter: new RecordingFilter({}),
      redactor: null,
      counts,
      sinks: [new SpoolSink(spool)],
      maxFrames: null,
      onHeader: () => undefined,
    });
    spool.flush();
    const result = { incomplete: 0, tunnels: counts.tunnels };
    const file = createWriteStream(target, { flags: 'wx', mode: PRIVATE_MODE });
    await pipeline(batches(archive(spool, counts, result)), file, { signal });
    return result;
  } finally {
    spool.close();
  }
}

/** Sorts the lines of sessions, and drops the lines of tunnels. */
class SpoolSink implements TapSink {
  readonly #spool: SessionSpool;

  constructor(spool: SessionSpool) {
    this.#spool = spool;
  }

  write(lines: readonly RecordLine[]): Promise<void> {
    for (const { text, record } of lines) {
      const isOfSession =
        record?.type === 'session' ||
        record?.type === 'frame' ||
        // Tunnels end with the same line type.
        (record?.type === 'end' && this.#spool.has(record.session));
      if (isOfSession) this.#spool.add(record.session, text);
    }
    return Promise.resolve();
  }
}

function* archive(spool: SessionSpool, counts: TapCounts, result: { incomplete: number }): Generator<string> {
  const log = {
    version: '1.2',
    creator: { name: 'sluice', version: version() },
    pages: [],
    comment: counts.text(),
  };
  yield `{"log":${JSON.stringify(log).slice(0, -1)},"entries":[`;
  let separator = '\n';
  for (const session of spool.sessions) {
    yield separator;
    yield* entry(session, spool.lines(session), result);
    separator = ',\n';
  }
  yield '\n]}}\n';
}

/** Joins short texts, because each text costs a write. */
function* batches(texts: Iterable<string>): Generator<string> {
  let batch = '';
  for (const text of texts) {
    batch += text;
    if (batch.length < BATCH_CHARACTERS) continue;
    yield batch;
    batch = '';
  }
  yield batch;
}

/** Writes one entry. The session's opening line comes first, unless it is missing. */
function* entry(session: string, lines: Iterable<string>, result: { incomplete: number }): Generator<string> {
  const maker = new MessageMaker();
  let opened: SessionRecord | null = null;
  let end: EndRecord | null = null;
  let startedAt = NaN;
  let lastAt = NaN;
  let separator = '';
  for (const line of lines) {
    // The line was validated during sorting.
    const record = JSON.parse(line) as TapRecord;
    if (Number.isNaN(startedAt)) {
      if (record.type === 'session') opened = record;
      startedAt = startOf(record.at, opened);
      yield `${JSON.stringify(headOf(session, record.at, opened)).slice(0, -1)},"_webSocketMessages":[`;
    }
    lastAt = record.at;
    if (record.type === 'end') end = record;
    if (record.type !== 'frame') continue;
    const message = maker.message(record);
    if (message === null) continue;
    if (message._length !== undefined) result.incomplete++;
    yield `${separator}${JSON.stringify(message)}`;
    separator = ',';
  }
  yield `],${JSON.stringify(tailOf(opened, startedAt, lastAt, end)).slice(1)}`;
}
