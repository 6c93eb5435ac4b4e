import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { portHolder } from '../../../../src/cli/serving/port-holder.ts';

const HEAD =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';

function line(port: number, state: string, inode: number): string {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return `   0: 0100007F:${hex} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0\n`;
}

/** Runs a test with a directory like /proc. Process 12 has the sockets 100 and 101. */
function inProc(tables: Readonly<Record<string, string>>, test: (proc: string) => void): void {
  const proc = mkdtempSync(join(tmpdir(), 'sluice-proc-'));
  try {
    for (const name of ['net', '12/fd', 'self']) mkdirSync(join(proc, name), { recursive: true });
    for (const [name, text] of Object.entries(tables)) writeFileSync(join(proc, 'net', name), HEAD + text);
    writeFileSync(join(proc, '12/comm'), 'nginx\n');
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

describe('the process that listens on a port', () => {
  it('is found by its socket, of IPv4 or IPv6', () => {
    inProc({ tcp: line(80, '0A', 99), tcp6: line(8080, '0A', 101) }, (proc) => {
      assert.deepEqual(portHolder(8080, proc), { pid: 12, name: 'nginx' });
    });
  });

  it('is not one that has only connections at the port', () => {
    inProc({ tcp: line(8080, '01', 100) }, (proc) => assert.equal(portHolder(8080, proc), null));
  });

  it('is unknown if its descriptors cannot be read, or without such files', () => {
    inProc({ tcp: line(80, '0A', 99) }, (proc) => assert.equal(portHolder(80, proc), null));
    assert.equal(portHolder(80, '/nonexistent'), null);
  });
});
