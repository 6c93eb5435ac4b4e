/** A tap service with fake workers, a fake reader and a fake clock. */
import { TapService, type TapSettings, type TapRequest } from '../../../../src/primary/tap/tap-service.ts';
import type { TapReader, TapSource } from '../../../../src/primary/tap/tap-reader.ts';
import type { EventFacts } from '../../../../src/protocol/admin/events.ts';
import type { TapCommand, TapReport } from '../../../../src/protocol/tap.ts';
import type { TapRecord } from '../../../../src/wire/recording/records.ts';
import { capture, type LogLine } from '../fixtures/config.ts';

export const CLIENT = '192.0.2.7';
export const WISH: TapRequest = { filter: {}, sample: 1, payload: false, maxPayloadBytes: 4096, redact: [] };

/** A reader that takes everything at once, unless the test holds it up. */
export class FakeReader implements TapReader {
  text = '';
  hasEnded = false;
  /** Whether what is written waits. */
  isSlow = false;
  /** Whether the end waits for ever. */
  isHanging = false;
  #waiting: (() => void)[] = [];

  write(lines: Buffer, onTaken: () => void): void {
    this.text += lines.toString();
    if (this.isSlow) this.#waiting.push(onTaken);
    else onTaken();
  }

  end(): Promise<void> {
    this.hasEnded = true;
    return this.isHanging ? new Promise(() => undefined) : Promise.resolve();
  }

  /** Takes everything that waits. */
  takeAll(): void {
    this.isSlow = false;
    for (const onTaken of this.#waiting.splice(0)) onTaken();
  }

  get records(): TapRecord[] {
    return this.text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as TapRecord);
  }
}

export class DeskRig {
  readonly told: TapCommand[] = [];
  readonly events: EventFacts[] = [];
  readonly lines: readonly LogLine[];
  settings: TapSettings = { tap: 'payload', tapRedact: [], token: 'one' };
  now = 1000;
  readonly service: TapService;

  constructor() {
    const { log, lines } = capture();
    this.lines = lines;
    this.service = new TapService({
      settings: () => this.settings,
      sendToWorkers: (command) => this.told.push(command),
      report: (event) => this.events.push(event),
      log,
      now: () => this.now,
    });
  }

  /** Opens a tap that must not be refused. */
  open(changes: Partial<TapRequest> = {}): TapSource {
    const opened = this.service.open({ ...WISH, ...changes }, CLIENT);
    if ('result' in opened) throw new Error(opened.message);
    return opened;
  }

  begin(changes: Partial<TapRequest> = {}): FakeReader {
    const reader = new FakeReader();
    this.open(changes).begin(reader);
    return reader;
  }

  /** Lets a worker report. Returns the report's counter of taken reports. */
  report(changes: Partial<TapReport>, worker = 'l7-0'): Int32Array {
    const taken = new Int32Array(new SharedArrayBuffer(4));
    const report: TapReport = {
      type: 'tap',
      id: 'tap-1',
      lines: '',
      lostFrames: 0,
      lostSessions: 0,
      taken,
      ...changes,
    };
    this.service.receive(report, worker);
    return taken;
  }

  count(result: string): number | undefined {
    return new Map<string, number>(this.service.counts.results).get(result);
  }
}
