import { createServer } from 'node:net';
import type { Server } from 'node:net';

/**
 * Below the ports that kernels give to clients (Linux: 32768 to 60999, net.ipv4.ip_local_port_range): a client of any
 * process can get one of those, even by a connection to itself, and nobody can listen on it then.
 */
const FIRST_PORT = 10_000;
const BLOCKS = 350;
/** The first port of a block is the lock: its process listens on it until it ends. */
const BLOCK_PORTS = 64;

const available: number[] = [];

/**
 * Finds different TCP ports of 127.0.0.1 that no process listens on. No other process gets them from here before this
 * one ends. Use port 0 if possible.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = available.pop();
    if (port === undefined) await claimBlock();
    else if (await isFree(port)) ports.push(port);
  }
  return ports;
}

async function claimBlock(): Promise<void> {
  const start = Math.floor(Math.random() * BLOCKS);
  for (let index = 0; index < BLOCKS; index++) {
    const lock = FIRST_PORT + ((start + index) % BLOCKS) * BLOCK_PORTS;
    const server = await listen(lock);
    if (server === null) continue;
    server.unref();
    for (let port = lock + BLOCK_PORTS - 1; port > lock; port--) available.push(port);
    return;
  }
  throw new Error(`all ports from ${FIRST_PORT} to ${FIRST_PORT + BLOCKS * BLOCK_PORTS - 1} are taken`);
}

async function isFree(port: number): Promise<boolean> {
  const server = await listen(port);
  if (server === null) return false;
  await new Promise((settle) => server.close(settle));
  return true;
}

/** Returns null if the port is taken. */
function listen(port: number): Promise<Server | null> {
  return new Promise((settle, fail) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') settle(null);
      else fail(error);
    });
    server.listen(port, '127.0.0.1', () => settle(server));
  });
}
