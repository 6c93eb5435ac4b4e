import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { configSource } from '../../../src/cli/config-file.ts';

function found(files: readonly string[], configFile: string | null = null, SLUICE_CONFIG?: string): string {
  const options = { configFile, overrides: [], env: { SLUICE_CONFIG } };
  return configSource(options, (path) => files.includes(path)).file;
}

describe('the configuration of a command', () => {
  it('is the file of -c, then of SLUICE_CONFIG, then of the first place that has one', () => {
    const files = ['sluice.yaml', '/etc/sluice/sluice.yaml'];
    assert.equal(found(files, 'a.yaml', 'b.yaml'), 'a.yaml');
    assert.equal(found(files, null, 'b.yaml'), 'b.yaml');
    assert.equal(found(files, null, ''), 'sluice.yaml');
    assert.equal(found(['/etc/sluice/sluice.yaml']), '/etc/sluice/sluice.yaml');
  });

  it('may also be sluice.yml or sluice.json', () => {
    assert.equal(found(['sluice.yml', '/etc/sluice/sluice.yaml']), 'sluice.yml');
    assert.equal(found(['/etc/sluice/sluice.json']), '/etc/sluice/sluice.json');
  });

  it('is refused if a place has two', () => {
    assert.throws(() => found(['sluice.yml', 'sluice.json']), {
      name: 'StartError',
      message: 'both sluice.yml and sluice.json exist: remove one, or name one with -c sluice.yml',
    });
  });

  it('is refused if no place has one, with both places and three remedies', () => {
    assert.throws(
      () => found([]),
      /no \.\/sluice\.yaml and no \/etc\/sluice\/sluice\.yaml\. .* -c FILE, .* sluice init, .* sluice to 3000$/,
    );
  });
});
