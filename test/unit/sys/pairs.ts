/** Connected sockets for tests of the system calls. */
import { mkdtempSync, rmSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Address } from '../../../src/core/address.ts';
import { EAGAIN } from '../../../src/sys/errno.ts';
import { SocketAddress } from '../../../src/sys/sockets/socket-address.ts';
import { Sockets } from '../../../src/sys/sockets/sockets.ts';
import { freePorts } from '../../support/sockets/free-port.ts';

export interface Pair {
  /** Which has connected. */
  readonly client: number;
  /** Which has been accepted. */
  readonly server: number;
}

export type Family = 'IPv4' | 'IPv6' | 'UNIX';

const hasIpv6 = Object.values(networkInterfaces()).some((one) =>
  one?.some(({ address }) => address === '::1'),
);

/** The families that this machine has. */
export const FAMILIES: readonly Family[] = hasIpv6 ? ['IPv4', 'IPv6', 'UNIX'] : ['IPv4', 'UNIX'];

/** Returns a free address of the family. `remove` deletes the directory of its file. */
export async function freshAddress(family: Family): Promise<{ address: Address; remove: () => void }> {
  if (family === 'UNIX') {
    const directory = mkdtempSync(join(tmpdir(), 'sluice-sys-'));
    const remove = (): void => rmSync(directory, { recursive: true });
    return { address: { kind: 'unix', path: join(directory, 'socket') }, remove };
  }
  const host = family === 'IPv4' ? '127.0.0.1' : '::1';
  const [port] = await freePorts(1);
  return { address: { kind: 'tcp', host, port: port! }, remove: () => undefined };
}

/** Repeats a call until it no longer returns the negative of this error number. */
export async function until(errno: number, call: () => number): Promise<number> {
  for (let left = 2000; left > 0; left--) {
    const result = call();
    if (result !== -errno) return result;
    await setTimeout(2);
  }
  throw new Error(`the call still fails with error ${errno}`);
}

/** Runs a test with two ends of a connection, and closes the ends that the test has neither closed nor given away. */
export async function withPair(
  family: Family,
  test: (
    pair: Pair,
    sockets: Sockets,
    close: (fd: number) => void,
    give: (fd: number) => number,
  ) => Promise<void> | void,
): Promise<void> {
  const sockets = new Sockets();
  const { address, remove } = await freshAddress(family);
  const target = new SocketAddress(address);
  const open = new Set<number>();
  const close = (fd: number): void => {
    if (open.delete(fd)) sockets.close(fd);
  };
  const give = (fd: number): number => {
    open.delete(fd);
    return fd;
  };
  try {
    const listening = sockets.listen(target, 16);
    open.add(listening);
    const client = sockets.open(target);
    open.add(client);
    sockets.connect(client, target);
    const server = await until(EAGAIN, () => sockets.accept(listening));
    open.add(server);
    await test({ client, server }, sockets, close, give);
  } finally {
    for (const fd of open) sockets.close(fd);
    remove();
  }
}
