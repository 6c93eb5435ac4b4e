/** Renders the example, and checks the rendered configuration with the program. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { manifestOf, noKustomize, renderManifests, type Rendered } from '../../support/deploy/manifests.ts';
import { PROGRAM, ROOT } from '../../support/processes/program.ts';

const EXAMPLE = join(ROOT, 'config/examples/kubernetes');

describe('example kubernetes', { skip: noKustomize }, () => {
  let manifests: Rendered[] = [];
  before(() => {
    manifests = renderManifests(EXAMPLE);
  });

  it('adds a monitor to the manifests of the base, all in one namespace', () => {
    const base = renderManifests(join(ROOT, 'deploy/kubernetes/base'));
    assert.deepEqual(
      manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`).toSorted(),
      [...base.map(({ kind, metadata }) => `${kind} ${metadata.name}`), 'ServiceMonitor sluice'].toSorted(),
    );
    assert.deepEqual([...new Set(manifests.map(({ metadata }) => metadata.namespace))], ['edge']);
  });

  it('has its own configuration in the ConfigMap that the pods mount, and sluice accepts it', () => {
    const text = manifestOf(manifests, 'ConfigMap', 'sluice').data!['sluice.yaml']!;
    assert.equal(text, readFileSync(join(EXAMPLE, 'sluice.yaml'), 'utf8'));
    const { volumes } = manifestOf(manifests, 'Deployment', 'sluice').spec!.template.spec!;
    assert.deepEqual(
      volumes!.map(({ configMap }) => configMap?.name),
      ['sluice'],
    );
    const directory = mkdtempSync(join(tmpdir(), 'sluice-example-'));
    try {
      const file = join(directory, 'sluice.yaml');
      writeFileSync(file, text);
      const run = spawnSync(process.execPath, [PROGRAM, 'check', '-c', file], { timeout: 60_000 });
      assert.deepEqual(
        [run.status, run.stdout.toString(), run.stderr.toString()],
        [0, `${file}: valid, with 1 listener and 2 clusters\n`, ''],
      );
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('opens the ports of its configuration, and gives each pod time to drain', () => {
    const file = join(EXAMPLE, 'sluice.yaml');
    const run = spawnSync(process.execPath, [PROGRAM, 'print-config', '-c', file], { timeout: 60_000 });
    const printed = run.stdout.toString();
    const pod = manifestOf(manifests, 'Deployment', 'sluice').spec!.template.spec!;
    for (const { containerPort } of pod.containers[0]!.ports!) {
      assert.match(printed, new RegExp(`address: ['"]?0\\.0\\.0\\.0:${containerPort}['"]?$`, 'mu'));
    }
    assert.match(printed, /grace: 5m$/mu);
    assert.match(printed, /readyDelay: 5s$/mu);
    assert.ok(pod.terminationGracePeriodSeconds! > 5 * 60 + 5);
    assert.match(printed, /l7: 1$/mu);
    assert.equal(pod.containers[0]!.resources!.requests!.cpu, '1250m');
  });

  it('takes the image from its own registry, and has three pods', () => {
    const { replicas, template } = manifestOf(manifests, 'Deployment', 'sluice').spec!;
    assert.equal(replicas, 3);
    assert.equal(template.spec!.containers[0]!.image, 'registry.example.com/sluice:0.1.0');
  });
});
