import { FrameObserver, type ObservedPosition } from '../../../../src/wire/frames/frame-observer.ts';

/** The beginning of a stream of frames. */
export const AT_BEGINNING: ObservedPosition = { payloadLeft: 0, heldPart: Buffer.alloc(0) };

/** Collects what an observer tells, one text for each finding. */
export class ObservingRecorder extends FrameObserver {
  readonly findings: string[] = [];
  readonly #wanted: number;
  #payload: Buffer[] = [];
  #input: Buffer | null = null;

  /** @param wanted bytes of each payload */
  constructor(wanted = Infinity) {
    super();
    this.#wanted = wanted;
  }

  override frameStarted(): number {
    this.#payload = [];
    return this.#wanted;
  }

  override payloadReceived(bytes: Uint8Array, start: number, end: number): void {
    this.#payload.push(Buffer.from(bytes.subarray(start, end)));
  }

  override payloadMissed(): void {
    this.findings.push('missed');
  }

  override frameEnded(first: number, length: number, code: number): void {
    this.findings.push(frameText(first, length, code, Buffer.concat(this.#payload)));
  }

  override frameInvalid(reason: string): void {
    this.findings.push(reason);
  }

  /** Reads the bytes from a place inside of a buffer that is overwritten afterwards. */
  read(bytes: Buffer): void {
    const input = (this.#input ??= Buffer.alloc(1 << 18));
    bytes.copy(input, 5);
    this.observe(input, 5, 5 + bytes.length);
    if (!input.subarray(5, 5 + bytes.length).equals(bytes)) this.findings.push('the input was changed');
    input.fill(0xee, 0, bytes.length + 10);
  }
}

export function frameText(first: number, length: number, code: number, payload: Buffer): string {
  return `${first.toString(16)} ${length} ${code} ${payload.toString('base64')}`;
}

/** Observes bytes that come in reads which end at the given places. */
export function observe(bytes: Buffer, cuts: readonly number[] = [], wanted?: number): string[] {
  const recorder = new ObservingRecorder(wanted);
  recorder.attach(AT_BEGINNING);
  let at = 0;
  for (const end of [...cuts, bytes.length]) {
    recorder.read(bytes.subarray(at, end));
    at = end;
  }
  return recorder.findings;
}
