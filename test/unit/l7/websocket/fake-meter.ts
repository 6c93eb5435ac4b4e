/** A meter whose verdicts a test decides. */
import type { Admission } from '../../../../src/access/contract/admission.ts';
import type {
  MeteredReader,
  MeterVerdict,
  TrafficMeter,
} from '../../../../src/access/contract/traffic-meter.ts';
import { OpenAdmission } from '../../../../src/access/admission/open-admission.ts';

export class FakeMeter implements TrafficMeter {
  readonly excess = { code: 1008, reason: 'too many messages' } as const;
  /** Whether the key of a session that begins has used its limit up. */
  isOverLimit = false;
  /** The verdict on the next reads. */
  verdict: MeterVerdict = 'go';
  /** Messages and bytes of each read. */
  readonly reads: [messages: number, bytes: number][] = [];
  /** Sessions that wait, in their order. */
  readonly waiting: MeteredReader[] = [];

  count(messages: number, bytes: number): MeterVerdict {
    this.reads.push([messages, bytes]);
    return this.verdict;
  }
  wait(reader: MeteredReader): void {
    this.waiting.push(reader);
  }
  cancelWait(reader: MeteredReader): void {
    const place = this.waiting.indexOf(reader);
    if (place >= 0) this.waiting.splice(place, 1);
  }

  /** The limit allows more: every session that waits reads on. */
  allow(): void {
    for (const reader of this.waiting.splice(0)) reader.resumeReading();
  }
}

/** The admission of a client whose limits a test decides. */
export function admissionWith(meter: TrafficMeter | null): Admission {
  const { address, principal } = new OpenAdmission('192.0.2.1', '');
  return { address, principal, meter, endsAt: Infinity, release: () => undefined };
}
