/** The service under systemd in a container: installation, certificates, log rotation, upgrade, supervision. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { noContainer, runInContainer } from '../../support/deploy/systemd-container.ts';

const missing = ['logrotate', 'openssl', 'curl'].find(
  (tool) => spawnSync(tool, ['--version']).error !== undefined,
);
const skip = noContainer === false ? missing !== undefined && `${missing} is not installed` : noContainer;

describe('the service under systemd', { timeout: 300_000, skip }, () => {
  let results: Readonly<Record<string, string>> = {};
  const is = (expected: Readonly<Record<string, string>>): void => {
    assert.deepEqual(Object.fromEntries(Object.keys(expected).map((key) => [key, results[key]])), expected);
  };

  before(async () => {
    const remains = await runInContainer(join(import.meta.dirname, 'fixtures/service.sh'));
    ({ results } = remains);
    if (results.stopped === undefined) assert.fail(`${remains.file('log')}\n${remains.file('journal')}`);
  });

  it('is installed with a random token, which a second installation keeps', () => {
    is({
      installed: '0',
      'shipped-configuration': '0',
      'second-installation-keeps-token': '0 600 root',
    });
  });

  it('starts as an unprivileged user', () => {
    is({ started: '0 active', user: 'sluice' });
  });

  it('gets the token as a credential, which commands of root find and nobody else can read', () => {
    is({
      'commands-of-root': '0',
      'token-for-others': '0',
      'commands-after-upgrade': '0',
      'token-in-environment': '0',
    });
  });

  it('reads a certificate as a credential at each start', () => {
    is({
      'check-with-credentials': '0',
      'certificate-as-credential': '0 serial=03',
      'restart-reads-credential': '0 serial=04',
    });
  });

  it('checks a configuration with the rights of the service before a reload', () => {
    is({
      'root-can-read-original': '0',
      'reload-without-credential': '1 active',
      'reload-with-credential': '0',
    });
  });

  it('starts without a token, and then refuses an upgrade with a remedy in the log', () => {
    is({
      'start-without-wanted-token': '1',
      'start-without-token': '0 active',
      'upgrade-without-token': 'active',
    });
  });

  it('gets certificates that only root can read from the hook, and renewed ones without a restart', () => {
    is({
      hook: '0 640 root sluice',
      certificate: 'serial=01',
      renewed: '0',
      'certificate-after-renewal': 'serial=02',
      'reload-keeps-process': 'yes',
    });
  });

  it('loses no line when logrotate rotates its file', () => {
    is({ lines: '60', files: 'access.log access.log.1 access.log.2.gz' });
  });

  it('is upgraded without a refused connection, and systemd follows the new process', () => {
    is({ upgraded: 'active', answers: '120', 'parent-of-new': '1', 'old-drains': 'yes' });
  });

  it('is restarted if the new process dies while the old one drains', () => {
    is({ restarted: '1' });
  });

  it('refuses to reload a bad configuration, continues, and stops', () => {
    is({ 'bad-reload': '1 active', stopped: 'success' });
  });
});
