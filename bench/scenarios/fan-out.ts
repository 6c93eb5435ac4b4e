import { MAX_MASKED_HEAD_BYTES, writeMaskedFrame } from '../../src/wire/frames/frame-writer.ts';
import { OPCODE_BINARY, OPCODE_TEXT } from '../../src/wire/frames/opcodes.ts';
import type { Session } from '../driver/sessions/session.ts';
import type { DriveContext, Sessions, Traffic } from '../driver/sessions/traffic.ts';
import { STAMP_LENGTH } from '../options/plan.ts';
import { sampleSizes } from '../options/size-distribution.ts';
import type { Pacer, Paced } from './pacer.ts';
import { pacerFor } from './pacing.ts';
import { Stamp } from './stamp.ts';

const POLL_MS = 1;
const SIZES = 256;
const FILLER = 0x2e;

/**
 * One session publishes, and the server sends each message to all others. Every delivery counts as a message,
 * in whichever thread the subscriber is. Its latency starts when the message is published, or in an open loop
 * when it is due. In a closed loop with `-m N`, a message is sent once the Nth message before it has reached
 * every subscriber.
 *
 * The publisher is the first session of the first thread, in addition to the plan's connections.
 */
export class FanOutTraffic implements Traffic, Paced {
  readonly holdsConnections = true;
  readonly keptBytes = STAMP_LENGTH;
  readonly replyLengths = new Uint32Array(0);
  readonly #context: DriveContext;
  readonly #stamp: Stamp;
  readonly #sizes: Uint32Array;
  readonly #isPublishing: boolean;
  readonly #pacer: Pacer | null;
  #publisher: Session | null = null;
  #poll: NodeJS.Timeout | null = null;
  #running = false;
  #published = 0;
  #expected = 0;
  #delivered = 0;
  /** Deliveries in all threads when they last grew, and the time of that growth. */
  #progress = 0;
  #progressAt = 0;

  constructor(context: DriveContext) {
    this.#context = context;
    this.#stamp = new Stamp(context.runId);
    this.#sizes = sampleSizes(context.plan.sizes, SIZES);
    this.#isPublishing = context.thread === 0;
    this.#pacer = this.#isPublishing ? pacerFor(context, this, 0, 1) : null;
  }

  begin({ all }: Sessions, now: number, until: number): void {
    if (!this.#isPublishing) return;
    this.#publisher = all[0]!;
    this.#running = true;
    this.#progressAt = now;
    this.#pacer?.begin(now, until);
    if (this.#pacer === null) this.#poll = setInterval(() => this.#publishNext(), POLL_MS);
  }

  end(now: number): void {
    this.#running = false;
    this.#pacer?.endAt(now);
    if (this.#poll !== null) clearInterval(this.#poll);
  }

  get settled(): boolean {
    const { page } = this.#context;
    if (this.#isPublishing && (this.#pacer?.backlog ?? 0) === 0) page.set(0, 'published', 1);
    return page.sum('published') === 1 && page.sum('delivered') >= page.sum('expected');
  }

  giveUp(): void {
    const { recorder, page } = this.#context;
    if (!this.#isPublishing) return;
    recorder.readClock();
    this.#pacer?.giveUp((intended) => {
      recorder.unsent++;
      recorder.waited(intended);
    });
    recorder.unanswered += Math.max(0, this.#expected - page.sum('delivered'));
  }

  opened(session: Session): void {
    if (session === this.#publisher) this.#pacer?.poke();
  }

  closed(): void {
    // Deliveries that a subscriber misses count as unanswered.
  }

  message(session: Session, length: number, bytes: Buffer, start: number, available: number): void {
    // Some servers also send a message to its publisher.
    if (this.#isPublishing && session.index === 0) return;
    const { recorder } = this.#context;
    const since = this.#stamp.read(bytes, start, available);
    if (since < 0) {
      recorder.unsolicited++;
      return;
    }
    this.#delivered++;
    recorder.answered(since, length);
  }

  pong(): void {
    // This scenario sends no pings.
  }

  readDone(): void {
    this.#context.page.set(this.#context.thread, 'delivered', this.#delivered);
    if (this.#poll !== null) this.#publishNext();
  }

  drained(): void {
    this.#pacer?.poke();
  }

  sendDue(intended: number): boolean {
    const { recorder } = this.#context;
    if (!this.#canPublish()) return false;
    recorder.readClock();
    recorder.sent(intended);
    this.#publish(intended);
    return true;
  }

  #canPublish(): boolean {
    return this.#publisher?.state === 'open' && !this.#publisher.choked;
  }

  /** Publishes what a closed loop allows now. */
  #publishNext(): void {
    const { page, plan, recorder } = this.#context;
    const now = recorder.readClock();
    const delivered = page.sum('delivered');
    if (delivered > this.#progress || this.#expected <= delivered) {
      this.#progress = delivered;
      this.#progressAt = now;
    } else if (now - this.#progressAt > plan.timeoutMs) {
      recorder.error('timeout: not delivered to all', this.#expected - delivered);
      this.#expected = delivered;
    }
    const subscribers = this.#subscribers();
    while (
      this.#running &&
      subscribers > 0 &&
      this.#canPublish() &&
      this.#expected + subscribers - delivered <= plan.inFlight * subscribers
    ) {
      this.#publish(now);
    }
  }

  #subscribers(): number {
    return this.#context.page.sum('open') - (this.#publisher?.state === 'open' ? 1 : 0);
  }

  #publish(since: number): void {
    const { plan, random, page } = this.#context;
    const payload = Buffer.alloc(this.#sizes[this.#published++ % SIZES]!, FILLER);
    this.#stamp.write(payload, since);
    const frame = Buffer.allocUnsafe(MAX_MASKED_HEAD_BYTES + payload.length);
    const opcode = plan.text ? OPCODE_TEXT : OPCODE_BINARY;
    const end = writeMaskedFrame(frame, 0, opcode, payload, random.int32());
    this.#expected += this.#subscribers();
    page.set(0, 'expected', this.#expected);
    this.#publisher!.write(frame.subarray(0, end));
  }
}
