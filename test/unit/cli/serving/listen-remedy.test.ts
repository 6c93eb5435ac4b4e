import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { listenRemedy, shellWords } from '../../../../src/cli/serving/listen-remedy.ts';
import type { TcpAddress } from '../../../../src/core/address.ts';
import { ListenError, StartError } from '../../../../src/core/errors.ts';

const LOCAL: TcpAddress = { kind: 'tcp', host: '127.0.0.1', port: 8080 };

function failure(code: string, address = LOCAL): ListenError {
  const cause = Object.assign(new Error(code), { code });
  return new ListenError('cannot listen', 'admin.address', address, cause);
}

async function remedy(thrown: unknown, isFound = true): Promise<string> {
  return listenRemedy(thrown, (setting, address) => `sluice --set ${setting}=${address}`, {
    holder: ({ port }) => (isFound ? { pid: 7, name: `server-${port}` } : null),
    nextFree: (address) => Promise.resolve(isFound ? address : null),
  });
}

describe('the remedy for an address in use', () => {
  it('names the process, and the command with the next free port', async () => {
    assert.equal(
      await remedy(failure('EADDRINUSE')),
      'Process 7 (server-8080) has the address.\nAnother address: sluice --set admin.address=127.0.0.1:8081\n',
    );
  });

  it('is empty if nothing is found', async () => {
    assert.equal(await remedy(failure('EADDRINUSE'), false), '');
  });
});

describe('the remedy for a privileged port', () => {
  it('is a command with the usual substitute', async () => {
    for (const [port, other] of [
      [80, 8080],
      [443, 8443],
      [25, 8025],
    ] as const) {
      assert.equal(
        await remedy(failure('EACCES', { ...LOCAL, port })),
        `Another address: sluice --set admin.address=127.0.0.1:${other}\n`,
      );
    }
  });
});

describe('another failed start', () => {
  it('has no remedy here', async () => {
    assert.equal(await remedy(failure('EADDRNOTAVAIL')), '');
    assert.equal(await remedy(new StartError('no')), '');
    assert.equal(await remedy('no'), '');
  });
});

describe('words for a shell', () => {
  it('are quoted if the shell would change them', () => {
    assert.equal(
      shellWords(['run', '-c', 'a b.yaml', "it's", '$x', '', 'log.level=debug']),
      String.raw`run -c 'a b.yaml' 'it'\''s' '$x' '' log.level=debug`,
    );
  });
});
