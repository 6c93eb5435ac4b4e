import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { portHolder, type PortHolder } from '../../../../src/cli/serving/port-holder.ts';

const HEAD =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';

const LOOPBACK = '0100007F';
const LOOPBACK_IPV6 = '00000000000000000000000001000000';

function line(port: number, state: string, inode: number, host = LOOPBACK): string {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return `   0: ${host}:${hex} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0\n`;
}

function holder(host: string, port: number, proc: string): PortHolder | null {
  return portHolder({ kind: 'tcp', host, port }, proc);
}

/** Runs a test with a directory like /proc. Process 12 has the sockets 100 and 101. */
function inProc(
  tables: Readonly<Record<string, string>>,
  test: (proc: string) => void,
  comm = 'nginx\n',
): void {
  const proc = mkdtempSync(join(tmpdir(), 'sluice-proc-'));
  try {
    for (const name of ['net', '12/fd', 'self']) mkdirSync(join(proc, name), { recursive: true });
    for (const [name, text] of Object.entries(tables)) writeFileSync(join(proc, 'net', name), HEAD + text);
    writeFileSync(join(proc, '12/comm'), comm);
    for (const [descriptor, target] of [
      ['0', '/dev/null'],
      ['3', 'socket:[100]'],
      ['4', 'socket:[101]'],
    ] as const)
      symlinkSync(target, join(proc, '12/fd', descriptor));
    test(proc);
  } finally {
    rmSync(proc, { recursive: true });
  }
}

describe('the process that listens on an address', () => {
  it('is found by its socket, of IPv4 or IPv6', () => {
    inProc({ tcp: line(80, '0A', 99), tcp6: line(8080, '0A', 101, LOOPBACK_IPV6) }, (proc) => {
      for (const host of ['::1', 'localhost', '::'])
        assert.deepEqual(holder(host, 8080, proc), { pid: 12, name: 'nginx' }, host);
    });
  });

  it('is not one with the same port on another address', () => {
    inProc({ tcp: line(8080, '0A', 100) }, (proc) => {
      for (const host of ['127.0.0.2', '::1', 'proxy.example'])
        assert.equal(holder(host, 8080, proc), null, host);
      for (const host of ['127.0.0.1', '0.0.0.0', '::', 'localhost'])
        assert.equal(holder(host, 8080, proc)?.pid, 12, host);
    });
  });

  it('may have a wildcard, or an IPv4 address on a socket for IPv6', () => {
    const wildcard = '0'.repeat(8);
    inProc({ tcp: line(8080, '0A', 100, wildcard) }, (proc) => {
      assert.equal(holder('127.0.0.2', 8080, proc)?.pid, 12);
      assert.equal(holder('::1', 8080, proc), null);
    });
    inProc({ tcp6: line(8080, '0A', 100, '0'.repeat(32)) }, (proc) => {
      assert.equal(holder('127.0.0.2', 8080, proc)?.pid, 12);
    });
    inProc({ tcp6: line(8080, '0A', 100, `0000000000000000FFFF0000${LOOPBACK}`) }, (proc) => {
      assert.equal(holder('127.0.0.1', 8080, proc)?.pid, 12);
    });
  });

  it('is not one that has only connections at the port', () => {
    inProc({ tcp: line(8080, '01', 100) }, (proc) => assert.equal(holder('127.0.0.1', 8080, proc), null));
  });

  it('cannot control the terminal, or add lines, with its name', () => {
    const test = (proc: string): void => {
      assert.equal(holder('127.0.0.1', 80, proc)?.name, String.raw`\u001b[2J\u000aAnother\u202e`);
    };
    inProc({ tcp: line(80, '0A', 100) }, test, '\u001b[2J\nAnother\u202e\n');
  });

  it('is unknown if its descriptors cannot be read, or without such files', () => {
    inProc({ tcp: line(80, '0A', 99) }, (proc) => assert.equal(holder('127.0.0.1', 80, proc), null));
    assert.equal(holder('127.0.0.1', 80, '/nonexistent'), null);
  });
});
