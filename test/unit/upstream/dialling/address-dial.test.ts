import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { describe, it } from 'node:test';
import type { Address } from '../../../../src/core/address.ts';
import { codeOf } from '../../../../src/core/errors.ts';
import { TimerWheel } from '../../../../src/core/timing/timer-wheel.ts';
import type { Watched } from '../../../../src/loop/poller.ts';
import { EPOLLERR, EPOLLHUP, EPOLLOUT } from '../../../../src/sys/epoll.ts';
import { SystemCallError } from '../../../../src/sys/errno.ts';
import type { SocketAddress } from '../../../../src/sys/sockets/socket-address.ts';
import { AddressDial } from '../../../../src/upstream/dialling/address-dial.ts';

const { EINPROGRESS, ECONNREFUSED, EHOSTUNREACH, EMFILE, ENOMEM } = constants.errno;
const TIMEOUT_MS = 2000;

/** The outcome of an attempt: an answer after some milliseconds, an error at once, or nothing. */
type Fate =
  | { readonly after: number; readonly error?: number }
  | { readonly at: 'open' | 'connect' | 'watch'; readonly error: number }
  | 'silent';

const SILENT = 'silent';
const GOOD: Fate = { after: 0 };
const SLOW: Fate = { after: 700 };
const REFUSED: Fate = { after: 0, error: ECONNREFUSED };
const REFUSED_AT_ONCE: Fate = { at: 'connect', error: ECONNREFUSED };
const UNREACHABLE_LATE: Fate = { after: 700, error: EHOSTUNREACH };
const NO_DESCRIPTOR: Fate = { at: 'open', error: EMFILE };
const NOT_WATCHED: Fate = { at: 'watch', error: ENOMEM };

interface Outcome {
  /** `a` to `c`: the address that accepted. Otherwise the code of the error. */
  readonly end: string;
  readonly atMs: number;
  /** When each address was dialled. */
  readonly dialled: string;
  readonly preferred: string;
}

/** Dials addresses with these fates, named a, b and c, and gives up after {@link TIMEOUT_MS}. */
function dialAll(fates: readonly Fate[]): Outcome {
  const wheel = new TimerWheel(0);
  let now = 0;
  /** How the dial ended. It must end only once. */
  const ends: string[] = [];
  let preferred = '';
  const dialled: string[] = [];
  const open = new Map<number, { readonly fate: Fate; readonly since: number; watched: Watched | null }>();
  const fateOf = (target: SocketAddress): Fate => fates['abc'.indexOf(target.text)]!;
  const sockets = {
    open: (target: SocketAddress) => {
      const fate = fateOf(target);
      if (fate !== SILENT && 'at' in fate && fate.at === 'open') return -fate.error;
      const fd = 10 + 'abc'.indexOf(target.text);
      open.set(fd, { fate, since: now, watched: null });
      return fd;
    },
    connect: (_fd: number, target: SocketAddress) => {
      const fate = fateOf(target);
      if (fate !== SILENT && 'at' in fate && fate.at === 'connect') return -fate.error;
      dialled.push(`${target.text} ${now}`);
      return -EINPROGRESS;
    },
    close: (fd: number) => assert.ok(open.delete(fd)),
    takeError: (fd: number) => {
      const { fate } = open.get(fd)!;
      return fate !== SILENT && 'after' in fate ? (fate.error ?? 0) : 0;
    },
  };
  const poller = {
    tryWatch: (watched: Watched, fd: number) => {
      const socket = open.get(fd)!;
      if (socket.fate !== SILENT && 'at' in socket.fate) {
        open.delete(fd);
        return new SystemCallError('epoll_ctl', socket.fate.error);
      }
      watched.fd = fd;
      socket.watched = watched;
      return null;
    },
    close: (watched: Watched) => {
      assert.ok(open.delete(watched.fd));
      watched.fd = -1;
    },
  };
  const addresses = fates.map((_, port): Address => ({ kind: 'tcp', host: '192.0.2.1', port }));
  const endpoint = {
    label: 'app',
    addresses,
    prefer: (address: Address) => (preferred = 'abc'[addresses.indexOf(address)]!),
  };
  const dial = new AddressDial(
    { sockets, poller, wheel },
    (address) => ({ text: 'abc'[addresses.indexOf(address)] }) as unknown as SocketAddress,
    endpoint,
    {
      dialConnected: ({ fd }) => {
        assert.deepEqual([...open.keys()], [fd], 'the other attempts are closed');
        open.delete(fd);
        ends.push('abc'[fd - 10]!);
      },
      dialFailed: (error) => {
        ends.push(codeOf(error));
      },
      dialFault: (error) => {
        throw error;
      },
    },
  );
  if (!dial.start()) ends.push(codeOf(dial.error));
  const isOver = (): boolean => ends.length > 0;
  while (!isOver()) {
    for (const { fate, since, watched } of open.values()) {
      if (fate === SILENT || !('after' in fate) || since + fate.after > now) continue;
      watched?.ready(fate.error === undefined ? EPOLLOUT : EPOLLOUT | EPOLLERR | EPOLLHUP);
    }
    if (isOver()) break;
    if (now === TIMEOUT_MS) ends.push(codeOf(dial.timeOut()));
    else wheel.advance((now += 100));
  }
  assert.deepEqual([...open.keys()], [], 'nothing stays open');
  wheel.advance(now + 10_000);
  assert.deepEqual(dialled.length, new Set(dialled.map((line) => line[0])).size, 'each is dialled once');
  return { end: ends.join(' and '), atMs: now, dialled: dialled.join(', '), preferred };
}

describe('a dial of several addresses', () => {
  const cases: readonly (readonly [what: string, fates: readonly Fate[], outcome: Outcome])[] = [
    ['an address that accepts', [GOOD], { end: 'a', atMs: 0, dialled: 'a 0', preferred: 'a' }],
    [
      'a silent address, which gets the whole timeout',
      [SILENT],
      { end: 'ETIMEDOUT', atMs: TIMEOUT_MS, dialled: 'a 0', preferred: '' },
    ],
    [
      'a silent address after one that refuses: it gets the whole timeout',
      [REFUSED, SILENT],
      { end: 'ETIMEDOUT', atMs: TIMEOUT_MS, dialled: 'a 0, b 0', preferred: '' },
    ],
    [
      'a silent address after one that refuses at once: it gets the whole timeout',
      [REFUSED_AT_ONCE, SILENT],
      { end: 'ETIMEDOUT', atMs: TIMEOUT_MS, dialled: 'b 0', preferred: '' },
    ],
    [
      'a slow address after one that refuses at once',
      [REFUSED_AT_ONCE, SLOW],
      { end: 'b', atMs: 700, dialled: 'b 0', preferred: 'b' },
    ],
    [
      'a good address after a silent one, which gets 250 ms',
      [SILENT, GOOD],
      { end: 'b', atMs: 300, dialled: 'a 0, b 300', preferred: 'b' },
    ],
    [
      'a slow address before one that refuses, and waits for the slow one',
      [SLOW, REFUSED],
      { end: 'a', atMs: 700, dialled: 'a 0, b 300', preferred: 'a' },
    ],
    [
      'a slow address before a silent one',
      [SLOW, SILENT],
      { end: 'a', atMs: 700, dialled: 'a 0, b 300', preferred: 'a' },
    ],
    [
      'three silent addresses, and starts the next after 250 ms',
      [SILENT, SILENT, SILENT],
      { end: 'ETIMEDOUT', atMs: TIMEOUT_MS, dialled: 'a 0, b 300, c 600', preferred: '' },
    ],
    [
      'an address that fails during the dial of the next, and starts the third at once',
      [UNREACHABLE_LATE, SILENT, GOOD],
      { end: 'c', atMs: 600, dialled: 'a 0, b 300, c 600', preferred: 'c' },
    ],
    [
      'addresses that all refuse',
      [REFUSED, REFUSED, REFUSED],
      { end: 'ECONNREFUSED', atMs: 0, dialled: 'a 0, b 0, c 0', preferred: '' },
    ],
    [
      'addresses that all refuse at once',
      [REFUSED_AT_ONCE, REFUSED_AT_ONCE],
      { end: 'ECONNREFUSED', atMs: 0, dialled: '', preferred: '' },
    ],
    [
      'two errors, and reports the last',
      [REFUSED, UNREACHABLE_LATE],
      { end: 'EHOSTUNREACH', atMs: 700, dialled: 'a 0, b 0', preferred: '' },
    ],
    [
      'a shortage of the proxy, and reports it even if another address refuses',
      [NO_DESCRIPTOR, REFUSED],
      { end: 'EMFILE', atMs: 0, dialled: 'b 0', preferred: '' },
    ],
    [
      'a shortage of the proxy, and reports it even if another address is silent',
      [NO_DESCRIPTOR, SILENT],
      { end: 'EMFILE', atMs: TIMEOUT_MS, dialled: 'b 0', preferred: '' },
    ],
    [
      'a socket that cannot be watched',
      [NOT_WATCHED, GOOD],
      { end: 'b', atMs: 0, dialled: 'a 0, b 0', preferred: 'b' },
    ],
    ['an empty list', [], { end: 'ENOTFOUND', atMs: 0, dialled: '', preferred: '' }],
  ];
  for (const [what, fates, outcome] of cases) {
    it(`handles ${what}`, () => assert.deepEqual(dialAll(fates), outcome));
  }
});
