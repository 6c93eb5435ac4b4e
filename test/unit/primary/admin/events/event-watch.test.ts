import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EventWatch } from '../../../../../src/primary/admin/events/event-watch.ts';

const DAY_MS = 86_400_000;

/** Facts that the test changes between two looks. */
class Rig {
  now = Date.parse('2026-01-01T00:00:00Z');
  dropped = 0;
  stuck = 0;
  names = ['l7-0'];
  isUp: boolean | null = null;
  failures = [0, 0];
  certificates = [{ listener: 'web', certificate: 'example.com', notAfter: 0 }];
  readonly told: string[] = [];
  readonly watch: EventWatch;

  constructor() {
    const state = (): { isUp: boolean; isCounting: boolean; roundSeconds: number } | null =>
      this.isUp === null ? null : { isUp: this.isUp, isCounting: true, roundSeconds: 0 };
    const slots = (): { name: string }[] => this.names.map((name) => ({ name }));
    const certificates = (): typeof this.certificates => this.certificates;
    const all = (): { label: string; results: { success: number; failure: number } }[] =>
      this.failures.map((failure, index) => ({ label: `set ${index}`, results: { success: 1, failure } }));
    this.certificates[0]!.notAfter = (this.now + 100 * DAY_MS) / 1000;
    this.watch = new EventWatch({
      supervisor: {
        get slots() {
          return slots();
        },
        leftBehind: { total: () => this.stuck },
      },
      keySets: {
        get all() {
          return all();
        },
      },
      redis: {
        get state() {
          return state();
        },
      },
      liveConfig: {
        get certificates() {
          return certificates();
        },
      },
      droppedLines: () => this.dropped,
      report: ({ kind, reason, detail = '' }, worker = '') => {
        this.told.push([kind, reason, worker, detail].join(' '));
      },
      now: () => this.now,
    });
  }

  look(times = 1): string[] {
    this.told.length = 0;
    for (let count = 0; count < times; count++) this.watch.poll();
    return [...this.told];
  }
}

describe('the polling for events of the process', () => {
  it('reports nothing while the process is healthy', () => {
    const rig = new Rig();
    rig.isUp = true;
    assert.deepEqual(rig.look(20), []);
  });

  it('reports lost lines, stuck workers and key sets once per increase', () => {
    const rig = new Rig();
    rig.look();
    rig.dropped = 7;
    rig.stuck = 1;
    rig.failures = [0, 2];
    assert.deepEqual(rig.look(3), [
      'process log_lines_lost  the output is not read fast enough',
      'worker stuck l7-0 the event loop is blocked',
      'process key_set_failed  set 1 cannot be fetched',
    ]);
  });

  it('does not report a stuck worker again after reloads remove and restore it', () => {
    const rig = new Rig();
    rig.look();
    rig.stuck = 1;
    assert.equal(rig.look().length, 1);
    rig.names = [];
    rig.look();
    rig.names = ['l7-0'];
    assert.deepEqual(rig.look(), []);
    rig.stuck = 2;
    assert.equal(rig.look().length, 1);
  });

  it('reports when Redis is lost, when it returns, and when it never answers', () => {
    const rig = new Rig();
    rig.isUp = true;
    rig.look();
    rig.isUp = false;
    assert.deepEqual(rig.look(3), ['process redis_lost  Redis does not answer']);
    rig.isUp = true;
    assert.deepEqual(rig.look(3), ['process redis_back  Redis answers again']);
    rig.isUp = null;
    rig.look();
    rig.isUp = false;
    assert.deepEqual(rig.look(4), []);
    assert.deepEqual(rig.look(10), ['process redis_lost  Redis does not answer']);
  });

  it('reports a certificate before its expiry, and at its expiry', () => {
    const rig = new Rig();
    const reasons = (): string[] => rig.look(2).map((text) => text.split(' ')[1]!);
    assert.deepEqual(reasons(), []);
    for (const [days, expected] of [
      [80, ['certificate_ends']],
      [10, []],
      [4, ['certificate_ends']],
      [5.5, ['certificate_ends']],
      [0.6, ['certificate_ended']],
      [10, []],
    ] as const) {
      rig.now += days * DAY_MS;
      assert.deepEqual(reasons(), expected, `${days}`);
    }
    rig.certificates = [{ ...rig.certificates[0]!, notAfter: (rig.now + 90 * DAY_MS) / 1000 }];
    assert.deepEqual(reasons(), []);
  });
});
