import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { describe, it } from 'node:test';
import type { HealthCheck } from '../../../../src/config/types/cluster.ts';
import type { Address } from '../../../../src/core/address.ts';
import type { Timed } from '../../../../src/core/timing/timer-wheel.ts';
import type { Handshakes } from '../../../../src/sys/sockets/handshakes.ts';
import { connectProbing } from '../../../../src/upstream/probes/connect-probe.ts';
import type { ProbeResult, ProbeTarget } from '../../../../src/upstream/probes/probe.ts';

const { EINPROGRESS, ECONNREFUSED, EMFILE } = constants.errno;
const CHECK: HealthCheck = {
  type: 'tcp',
  path: '/',
  host: null,
  status: { min: 200, max: 399 },
  intervalMs: 5000,
  timeoutMs: 2000,
  rise: 2,
  fall: 3,
};
const ADDRESS: Address = { kind: 'tcp', host: '192.0.2.1', port: 80 };

/** Probes on a fake kernel, and on a timer wheel whose clock the test moves. */
class Rig {
  /** The kernel's answer to each poll: a round-trip time in microseconds, or a negative error number. */
  kernel = -EINPROGRESS;
  /** The descriptor of the next socket, or a negative error number. */
  next = 7;
  looks = 0;
  readonly opened: string[] = [];
  readonly cancelled: number[] = [];
  readonly results: ProbeResult[] = [];
  readonly others: ProbeTarget[] = [];
  readonly #armed = new Map<Timed, number>();
  #now = 1000;
  readonly probe = connectProbing(
    {
      arm: (entry, ms) => void this.#armed.set(entry, this.#now + ms),
      disarm: (entry) => void this.#armed.delete(entry),
    },
    (target) => {
      this.others.push(target);
      return () => undefined;
    },
    {
      ipv4: this.#handshakes(4),
      ipv6: this.#handshakes(6),
      checks: { add: (work) => work.start(), remove: () => false, release: () => undefined },
      now: () => this.#now,
    },
  );

  #handshakes(version: number): Pick<Handshakes, 'start' | 'poll' | 'cancel'> {
    return {
      start: (host, port) => {
        this.opened.push(`${version}: ${host} ${port}`);
        return this.next;
      },
      poll: () => {
        this.looks++;
        return this.kernel;
      },
      cancel: (fd) => void this.cancelled.push(fd),
    };
  }

  begin(changes: Partial<ProbeTarget> = {}, check = CHECK): () => void {
    const target = { label: 'one', server: ADDRESS, addresses: [ADDRESS], tls: null, preface: null };
    return this.probe({ ...target, ...changes }, check, (result) => this.results.push(result));
  }

  /** Lets time pass without a turn of the loop. */
  hold(ms: number): void {
    this.#now += ms;
  }

  pass(ms: number): void {
    for (const end = this.#now + ms; this.#now < end;) {
      // A tick of the wheel.
      this.#now += 20;
      for (const [entry, at] of [...this.#armed]) {
        if (at > this.#now) continue;
        this.#armed.delete(entry);
        entry.expire();
      }
    }
  }
}

describe('a probe that only connects', () => {
  it('passes with the round-trip time of the handshake, after it closes its socket', () => {
    const rig = new Rig();
    rig.begin();
    rig.kernel = 350;
    assert.deepEqual(rig.results, [], 'no result before the call returns');
    rig.pass(20);
    assert.deepEqual(rig.results, [{ verdict: 'passed', ms: 0.35 }]);
    assert.deepEqual([rig.opened, rig.cancelled], [['4: 192.0.2.1 80'], []]);
    rig.pass(5000);
    assert.equal(rig.results.length, 1);
  });

  it('passes with its own duration if the kernel has no round-trip time', () => {
    const rig = new Rig();
    rig.begin();
    rig.pass(60);
    rig.kernel = 0;
    rig.pass(40);
    assert.deepEqual(rig.results, [{ verdict: 'passed', ms: 80 }]);
  });

  it('polls less and less often until it times out', () => {
    const rig = new Rig();
    rig.begin();
    rig.pass(1980);
    assert.deepEqual(rig.results, []);
    rig.pass(40);
    assert.deepEqual(rig.results, [{ verdict: 'failed', reason: 'timed out' }]);
    assert.deepEqual(rig.cancelled, [7]);
    assert.ok(rig.looks < 16, `${rig.looks} polls`);
  });

  it('is inconclusive if the proxy was delayed far beyond the timeout', () => {
    const rig = new Rig();
    rig.begin();
    rig.hold(4000);
    rig.pass(20);
    assert.deepEqual(rig.results, [{ verdict: 'unmade', reason: 'the proxy was delayed' }]);
    assert.deepEqual(rig.cancelled, [7]);
  });

  it('fails with the error of the kernel, at once or later', () => {
    const rig = new Rig();
    rig.begin();
    rig.kernel = -ECONNREFUSED;
    rig.pass(20);
    rig.next = -ECONNREFUSED;
    rig.begin();
    rig.pass(20);
    const refused = { verdict: 'failed', reason: 'connect ECONNREFUSED 192.0.2.1:80' };
    assert.deepEqual(rig.results, [refused, refused]);
    assert.deepEqual(rig.cancelled, [], 'no socket is left to close');
  });

  it('is inconclusive if the proxy lacks descriptors', () => {
    const rig = new Rig();
    rig.next = -EMFILE;
    rig.begin();
    rig.pass(20);
    assert.deepEqual(rig.results, [{ verdict: 'unmade', reason: 'connect EMFILE 192.0.2.1:80' }]);
  });

  it('reports nothing when cancelled, and closes its socket once', () => {
    const rig = new Rig();
    const cancel = rig.begin();
    cancel();
    cancel();
    rig.pass(5000);
    assert.deepEqual([rig.results, rig.cancelled], [[], [7]]);
  });

  it('connects to IPv6 addresses in the same way', () => {
    const rig = new Rig();
    rig.begin({ addresses: [{ kind: 'tcp', host: '2001:db8::1', port: 80 }] });
    assert.deepEqual(rig.opened, ['6: 2001:db8::1 80']);
  });

  it('connects to IPv4-mapped IPv6 addresses over IPv4', () => {
    const rig = new Rig();
    for (const host of ['::ffff:192.0.2.1', '0:0:0:0:0:FFFF:c000:201']) {
      rig.begin({ addresses: [{ kind: 'tcp', host, port: 80 }] });
    }
    assert.deepEqual(rig.opened, ['4: 192.0.2.1 80', '4: 192.0.2.1 80']);
  });

  it('uses the fallback if it needs more than a connection to one IP address', () => {
    const rig = new Rig();
    const six: Address = { kind: 'tcp', host: 'fe80::1%eth0', port: 80 };
    rig.begin({ preface: Buffer.from('PROXY UNKNOWN\r\n') });
    rig.begin({ addresses: [ADDRESS, ADDRESS] });
    rig.begin({ addresses: [six] });
    rig.begin({ addresses: [{ kind: 'unix', path: '/run/app.sock' }] });
    rig.begin({}, { ...CHECK, type: 'http' });
    assert.deepEqual([rig.others.length, rig.opened], [5, []]);
  });
});
