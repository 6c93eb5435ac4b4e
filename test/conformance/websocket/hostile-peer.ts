/** A peer on a raw socket that does what a case says, and looks closely at what the proxy sends it. */
import { setImmediate, setTimeout } from 'node:timers/promises';
import { within } from '../../support/deadline.ts';
import type { RawConnection } from '../../support/sockets/raw-connection.ts';
import {
  BINARY,
  CLOSE,
  PING,
  PONG,
  TEXT,
  encodeFrame,
  type Frame,
} from '../../support/websocket/raw-frames.ts';
import { CONTINUATION, pieces } from './building.ts';
import type { Case, Message, Side, Step } from './case.ts';
import type { ClientDeflate } from './deflate.ts';

/** Duration of a look: later events do not count as immediate. */
const LOOK_MS = 250;
const RSV1 = 4;
const MASK = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);

export class HostilePeer {
  readonly messages: Message[] = [];
  readonly pongs: Buffer[] = [];
  /** Code of the close frame from the proxy, `1005` where it had none, `none` where there was no frame. */
  closeFrame = 'none';
  failedAt = '';
  /** Faults of the proxy: it sent bytes that no peer may send. */
  readonly faults: string[] = [];
  /** Messages that came compressed. */
  compressed = 0;
  ended = false;
  readonly #connection: RawConnection;
  readonly #side: Side;
  readonly #deflate: ClientDeflate | null;
  readonly #end: Promise<void>;
  /** The open message: its first frame and the payload so far. */
  #first: Frame | null = null;
  #parts: Buffer[] = [];
  /** Whether a close frame has been sent. */
  #hasClosed = false;
  #wake: () => void = () => undefined;

  /** @param connection both handshakes are over */
  constructor(connection: RawConnection, side: Side, deflate: ClientDeflate | null = null) {
    this.#connection = connection;
    this.#side = side;
    this.#deflate = deflate;
    this.#end = this.#read();
  }

  async perform(steps: readonly Step[], chop: Case['chop']): Promise<void> {
    let frames: Buffer[] = [];
    const flush = async (): Promise<void> => {
      const all = frames;
      frames = [];
      await this.#write(all, chop);
    };
    for (const step of steps) {
      switch (step.does) {
        case 'frame':
          frames.push(this.#encode(step.opcode, step.payload, step.fin, step.reserved));
          break;
        case 'bytes':
          frames.push(step.bytes);
          break;
        case 'message':
          frames.push(...this.#fragments(step.message, step.fragmentSize));
          break;
        case 'await': {
          await flush();
          const { echoes, pongs } = step;
          const echoed = this.#side === 'client' ? echoes : 0;
          await this.until(() => this.messages.length >= echoed && this.pongs.length >= pongs);
          break;
        }
        case 'cut':
          await flush();
          await this.#cut(step.payload, step.at);
          break;
        case 'look':
          await flush();
          await this.#look();
      }
    }
    await flush();
  }

  /** Waits for a condition on the received messages, or for the end of the connection. */
  async until(reached: () => boolean): Promise<void> {
    const done = new Promise<void>((settle) => {
      this.#wake = () => {
        if (reached() || this.ended) settle();
      };
      this.#wake();
    });
    await within(`the expected messages of the proxy; it sent ${this.messages.length} messages`, done);
  }

  /** Says that a condition which somebody waits for may hold now. */
  recheck(): void {
    this.#wake();
  }

  /** Closes as a peer does that has nothing more to say. */
  close(payload: Buffer): void {
    this.#connection.write(this.#encode(CLOSE, payload, true, 0));
  }

  /** Waits for the end of the connection. */
  over(): Promise<void> {
    return this.#end;
  }

  #encode(opcode: number, payload: Buffer, fin: boolean, reserved: number): Buffer {
    const masked = this.#side === 'client' ? { mask: MASK } : {};
    if (opcode === CLOSE) this.#hasClosed = true;
    return encodeFrame(opcode, payload, { fin, reserved, ...masked });
  }

  #fragments({ binary, payload }: Message, size: number): Buffer[] {
    const body = this.#deflate === null ? payload : this.#deflate.compress(payload);
    const parts = pieces(body, size === 0 ? body.length || 1 : size);
    return parts.map((part, index) => {
      const opcode = index > 0 ? CONTINUATION : binary ? BINARY : TEXT;
      const reserved = index === 0 && this.#deflate !== null ? RSV1 : 0;
      return this.#encode(opcode, part, index === parts.length - 1, reserved);
    });
  }

  async #write(frames: readonly Buffer[], chop: Case['chop']): Promise<void> {
    if (frames.length === 0) return;
    const writes =
      chop === 'frame' ? frames : pieces(Buffer.concat(frames), typeof chop === 'number' ? chop : Infinity);
    for (const bytes of writes) {
      if (this.ended) return;
      this.#connection.write(bytes);
      // A separate write needs a separate turn of the loop, on the other side too.
      if (writes.length > 1) await setImmediate();
    }
  }

  async #cut(payload: Buffer, at: readonly [number, number]): Promise<void> {
    const bytes = this.#encode(TEXT, payload, true, 0);
    const head = bytes.length - payload.length;
    const ends = [head + at[0], head + at[1]] as const;
    await this.#write([bytes.subarray(0, ends[0]), bytes.subarray(ends[0], ends[1])], 'frame');
    await this.#look();
    await this.#write([bytes.subarray(ends[1])], 'frame');
  }

  async #look(): Promise<void> {
    // An endpoint has the client behind the proxy to judge its messages, and no say in when.
    if (this.#side === 'endpoint') return;
    await Promise.race([this.#end, setTimeout(LOOK_MS, undefined, { ref: false })]);
    this.failedAt = this.ended ? 'once' : 'later';
  }

  async #read(): Promise<void> {
    for (;;) {
      let frame: Frame;
      try {
        frame = await this.#connection.frame();
      } catch {
        break;
      }
      this.#check(frame);
      this.#take(frame);
      this.#wake();
    }
    const rest = await this.#connection.rest();
    if (rest.length > 0) this.faults.push(`${rest.length} bytes of an incomplete frame`);
    this.ended = true;
    this.#wake();
  }

  /** RFC 6455 sections 5.1 to 5.5, and 6 of RFC 7692. */
  #check({ opcode, fin, reserved, masked, payload }: Frame): void {
    const faults = this.faults;
    if (masked !== (this.#side === 'endpoint')) faults.push(masked ? 'a masked frame' : 'an unmasked frame');
    if (this.closeFrame !== 'none') faults.push('a frame behind the close frame');
    if (opcode >= CLOSE) {
      if (opcode > PONG) faults.push(`opcode ${opcode}`);
      if (!fin || payload.length > 125 || reserved !== 0) faults.push('a control frame of the wrong form');
      return;
    }
    if (opcode > BINARY) faults.push(`opcode ${opcode}`);
    if ((opcode === CONTINUATION) !== (this.#first !== null)) faults.push('a fragment out of order');
    const mayBe = opcode !== CONTINUATION && this.#deflate !== null ? RSV1 : 0;
    if ((reserved & ~mayBe) !== 0) faults.push(`reserved bits ${reserved}`);
  }

  #take(frame: Frame): void {
    const { opcode, payload } = frame;
    if (opcode === CLOSE) {
      this.closeFrame = payload.length < 2 ? '1005' : String(payload.readUInt16BE(0));
      // Even a hostile peer may take part in a close that it has not begun.
      if (!this.#hasClosed) this.close(payload);
      return;
    }
    if (opcode === PONG) this.pongs.push(payload);
    if (opcode === PING || opcode === PONG) return;
    this.#first ??= frame;
    this.#parts.push(payload);
    if (!frame.fin) return;
    const whole = Buffer.concat(this.#parts);
    const binary = this.#first.opcode === BINARY;
    const isCompressed = this.#first.reserved !== 0;
    this.#first = null;
    this.#parts = [];
    this.messages.push({ binary, payload: isCompressed ? this.#inflate(whole) : whole });
  }

  #inflate(payload: Buffer): Buffer {
    this.compressed++;
    try {
      return this.#deflate!.inflate(payload);
    } catch (error) {
      this.faults.push(`a message that cannot be inflated: ${(error as Error).message}`);
      return payload;
    }
  }
}
